/**
 * Single pods end under load, each in a way of Kubernetes' own.
 *
 * A forced deletion removes the pod from the cluster at once, and the node ends
 * it without its grace period. An eviction is what draining a node does: it
 * asks the disruption budget first, and then ends the pod as a rollout does.
 */
import {
  clusterFields,
  type Experiment,
  healthyWithin,
  measuredBetween,
  type NamedManifestChange,
  noRetries,
  type RunContext,
} from "../src/experiment/authors.ts";
import type { KubernetesObject } from "../src/stack/manifests.ts";
import { noCallIsLost } from "./_claims.ts";
import { killOne } from "./kill_one.ts";
import {
  endAtOnce,
  evictOnceAllowed,
  kubernetesOf,
  noPreStop,
} from "./_kubernetes.ts";
import { balancedFrom, scaleUp } from "./scale_up.ts";

const LOAD = { ratePerS: 200, workMs: 50 } as const;

export const forcedDelete: Experiment = {
  name: "forced-delete",
  question: "Is a call lost when a server's pod is deleted by force?",
  isForKubernetes: true,
  setup: { servers: 3 },
  load: { ...LOAD, durationMs: 12_000 },
  events: [{
    atMs: 2000,
    label: "forced deletion of server-2",
    do: async (run) => {
      await kubernetesOf(run).deleteAtOnce("server-2");
      await run.stack.start("server-2");
      run.measure("another is Ready", run.elapsedMs() - 2000);
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "replaced",
      text: "another is Ready within 8 s",
      judge: measuredBetween("another is Ready", { max: 8000, unit: "ms" }),
    },
  ],
  control: {
    about: "no retries, no preStop, and the server does not drain",
    changes: [noRetries],
    setup: endAtOnce,
    breaks: ["lost"],
  },
};

/**
 * Between two evictions: less than a pod needs until it is Ready. Pods that
 * start at once keep two cores too busy to measure.
 */
const EVICTION_MS = 1500;

/** Evicts every server. */
async function drain(run: RunContext): Promise<void> {
  const refused = await Promise.all(
    run.stack.servers().map(async ({ name }, at) => {
      await run.wait(at * EVICTION_MS);
      const times = await evictOnceAllowed(run, name);
      run.mark(`${name} is evicted`);
      return times;
    }),
  );
  run.measure("refused evictions", refused.reduce((sum, one) => sum + one));
  run.measure("all are evicted", run.elapsedMs());
}

const noBudget: NamedManifestChange = {
  name: "no disruption budget",
  apply: (objects) => {
    const isBudget = ({ kind }: KubernetesObject) =>
      kind === "PodDisruptionBudget";
    const kept = objects.filter((object) => !isBudget(object));
    objects.splice(0, objects.length, ...kept);
  },
};

export const nodeDrain: Experiment = {
  name: "node-drain",
  question: "Is a call lost while every server is evicted from its node?",
  isForKubernetes: true,
  setup: { servers: 3 },
  load: { ...LOAD, durationMs: 20_000 },
  events: [{ atMs: 1000, label: "evictions", do: drain }],
  claims: [
    noCallIsLost,
    {
      id: "budget",
      text: "all but one are held back by the disruption budget",
      judge: measuredBetween("refused evictions", { min: 2 }),
    },
    {
      id: "within",
      text: "all are evicted while calls are made",
      judge: measuredBetween("all are evicted", { max: 20_000, unit: "ms" }),
    },
  ],
  control: {
    about: "no disruption budget, no preStop, no drain, no retries",
    changes: [noRetries],
    setup: {
      ...endAtOnce,
      kubernetes: { changes: [noBudget, noPreStop("grpc-server")] },
    },
    load: { durationMs: 15_000 },
    breaks: ["lost", "budget"],
  },
};

/**
 * The container is started again in its pod. Other controls of the drill are
 * left out: there Kubernetes notices what Envoy does not.
 */
export const containerKill: Experiment = {
  ...killOne,
  name: "container-kill",
  isShort: false,
  isForKubernetes: true,
  load: { ...LOAD, durationMs: 8000 },
  furtherControls: [],
};

/** The cluster's DNS has its own way with answers that expire. */
export const podsScaleUp: Experiment = {
  ...scaleUp,
  name: "pods-scale-up",
  isForKubernetes: true,
  load: { ...LOAD, durationMs: 14_000 },
  claims: [
    ...scaleUp.claims.filter(({ id }) => id !== "balance"),
    balancedFrom(10_000),
  ],
  furtherControls: [],
};

/** A pod goes on for some 9 s after it is deleted. */
export const podsScale: Experiment = {
  name: "pods-scale",
  question: "Is a call lost while three servers become six, and then two?",
  isForKubernetes: true,
  setup: { servers: 3 },
  load: { ...LOAD, durationMs: 25_000 },
  events: [{
    atMs: 1000,
    label: "scale 3 to 6 to 2",
    do: async (run) => {
      await run.stack.scale(6);
      run.mark("six are Ready");
      await run.awaitHealthy(6);
      await run.stack.scale(2);
      run.measure("two are left", run.elapsedMs());
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "within",
      text: "all of it happens while calls are made",
      judge: measuredBetween("two are left", { max: 25_000, unit: "ms" }),
    },
  ],
  control: {
    about: "no preStop, no drain, no retries",
    changes: [noRetries],
    setup: endAtOnce,
    load: { durationMs: 15_000 },
    breaks: ["lost"],
  },
};

const NOT_SERVING = "server-2 reports NOT_SERVING";
const SERVING = "server-2 serves again";
const FLIP_MS = 5000;

/** The kubelet asks every 2 s, Envoy itself every second. */
const NOTICED_MS_MAX = 3000;

/** A probe and a look at DNS, and Envoy's first check. */
const BACK_MS_MAX = 6000;

export const readinessFlips: Experiment = {
  name: "readiness-flips",
  question: "What happens while a server's pod is not Ready for some seconds?",
  isForKubernetes: true,
  setup: { servers: 3 },
  load: { ...LOAD, durationMs: 16_000 },
  events: [{
    atMs: 2000,
    label: NOT_SERVING,
    do: async (run) => {
      await run.stack.fault("server-2", {
        kind: "health",
        isServing: false,
        durationMs: FLIP_MS,
      });
      await run.wait(FLIP_MS);
      run.mark(SERVING);
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "noticed",
      text: `both Envoys leave it out within ${NOTICED_MS_MAX / 1000} s`,
      judge: healthyWithin(NOT_SERVING, 2, NOTICED_MS_MAX),
    },
    {
      id: "back",
      text: `both use it again ${BACK_MS_MAX / 1000} s after it serves`,
      judge: healthyWithin(SERVING, 3, BACK_MS_MAX),
    },
  ],
  control: {
    about: "no health checks in Envoy, which asks DNS once a minute",
    changes: [
      clusterFields("no health checks, discovery every 60 s", {
        health_checks: [],
        dns_refresh_rate: "60s",
      }),
    ],
    breaks: ["noticed"],
  },
};
