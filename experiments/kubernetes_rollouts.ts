/**
 * A Deployment is rolled under load: each pod is replaced by another, as after
 * every change of it.
 *
 * What is measured: the lost calls, and how long a rollout takes. In the
 * controls something that a rollout relies on is missing: the preStop hooks, or
 * a successor that is Ready before a pod ends.
 */
import { fieldsOf } from "../src/core/yaml.ts";
import {
  type Experiment,
  measuredBetween,
  type NamedManifestChange,
  noRetries,
} from "../src/experiment/authors.ts";
import {
  containerOf,
  type Deployment,
  deploymentOf,
} from "../src/stack/manifests.ts";
import { noCallIsLost } from "./_claims.ts";
import {
  allUnavailable,
  endAtOnce,
  kubernetesOf,
  noPreStop,
} from "./_kubernetes.ts";

/** Longer than a server goes on once it is deleted, so that a gap shows. */
const START_S = 10;

/** A server that needs its time until it is Ready, as large ones do. */
const slowStart: NamedManifestChange = {
  name: `servers are Ready after ${START_S} s`,
  apply: (objects) => {
    const server = containerOf(deploymentOf(objects, "grpc-server"));
    fieldsOf(server["startupProbe"])["initialDelaySeconds"] = START_S;
  },
};

/**
 * A rollout of the experiment or of its control.
 *
 * @param durationMs Of the load; the rollout ends before the last call.
 */
function rollout(
  deployment: Deployment,
  durationMs: number,
  own: Pick<Experiment, "name" | "question" | "control"> & Partial<Experiment>,
): Experiment {
  return {
    isForKubernetes: true,
    setup: { servers: 3 },
    load: { ratePerS: 200, durationMs, workMs: 50 },
    events: [{
      atMs: 1000,
      label: `restart of ${deployment}`,
      do: async (run) => {
        await kubernetesOf(run).restart(deployment);
        run.measure("all pods are new", run.elapsedMs());
      },
    }],
    claims: [
      noCallIsLost,
      {
        id: "within",
        text: "every pod is replaced while calls are made",
        judge: measuredBetween("all pods are new", {
          max: durationMs,
          unit: "ms",
        }),
      },
    ],
    ...own,
  };
}

export const serverRollout: Experiment = rollout("grpc-server", 32_000, {
  name: "server-rollout",
  question: "Is a call lost while all servers are replaced by a rollout?",
  control: {
    about: "no preStop, no drain, no retries",
    changes: [noRetries],
    setup: endAtOnce,
    load: { durationMs: 15_000 },
    breaks: ["lost"],
  },
  // With preStop a server is out of DNS for 6 s before it ends. But it passes
  // its health checks, so Envoy calls it all the same.
  furtherControls: [{
    about: "no drain, no retries",
    changes: [noRetries],
    setup: { serverFlags: endAtOnce.serverFlags ?? [] },
    breaks: ["lost"],
  }],
});

export const serverRolloutAtOnce: Experiment = rollout("grpc-server", 45_000, {
  name: "server-rollout-at-once",
  question: "Does it matter that a server only ends once another is Ready?",
  setup: { servers: 2, kubernetes: { changes: [slowStart] } },
  control: {
    about: "maxUnavailable is 100 %",
    setup: {
      kubernetes: { changes: [slowStart, allUnavailable("grpc-server")] },
    },
    load: { durationMs: 20_000 },
    breaks: ["lost"],
  },
});

export const envoyRollout: Experiment = rollout("envoy", 32_000, {
  name: "envoy-rollout",
  question: "Is a call lost while both Envoys are replaced by a rollout?",
  control: {
    about: "no preStop: Envoy gets SIGTERM without draining first",
    setup: { kubernetes: { changes: [noPreStop("envoy")] } },
    load: { durationMs: 20_000 },
    breaks: ["lost"],
  },
});
