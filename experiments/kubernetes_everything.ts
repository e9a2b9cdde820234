/** Everything that Kubernetes does to servers and Envoys, in one minute. */
import {
  type Experiment,
  measuredBetween,
  noRetries,
  type RunContext,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";
import { evictOnceAllowed, kubernetesOf, noPreStop } from "./_kubernetes.ts";

const DURATION_MS = 70_000;

/** Servers and Envoys are replaced at the same time. */
async function rollBoth(run: RunContext): Promise<void> {
  const stack = kubernetesOf(run);
  await Promise.all([stack.restart("grpc-server"), stack.restart("envoy")]);
}

/** A kill, an eviction, two servers more and two fewer, one after another. */
async function everything(run: RunContext): Promise<void> {
  const stack = kubernetesOf(run);
  const name = () => stack.servers()[0]?.name ?? "";
  run.mark("rollout of servers and Envoys");
  await rollBoth(run);
  run.mark(`kill -9 ${name()}`);
  const killed = name();
  await stack.stop(killed, "SIGKILL");
  await stack.start(killed);
  await run.awaitHealthy(3);
  run.mark(`eviction of ${name()}`);
  await evictOnceAllowed(run, name());
  run.mark("scale to 5 and 3");
  await stack.scale(5);
  await stack.scale(3);
  run.measure("all is over", run.elapsedMs());
}

export const everythingOnKubernetes: Experiment = {
  name: "everything-on-kubernetes",
  question: "Is any of 10,500 calls lost in a minute of rollouts, a kill, an " +
    "eviction and scaling?",
  isForKubernetes: true,
  setup: { servers: 3 },
  load: { ratePerS: 150, durationMs: DURATION_MS, workMs: 20 },
  events: [{ atMs: 1000, label: "everything", do: everything }],
  claims: [
    noCallIsLost,
    {
      id: "within",
      text: "all of it happens while calls are made",
      judge: measuredBetween("all is over", { max: DURATION_MS, unit: "ms" }),
    },
  ],
  control: {
    about: "rollouts without preStop and without retries",
    changes: [noRetries],
    setup: {
      kubernetes: { changes: [noPreStop("grpc-server"), noPreStop("envoy")] },
    },
    load: { durationMs: 25_000 },
    events: [{ atMs: 1000, label: "both rollouts", do: rollBoth }],
    breaks: ["lost"],
  },
};
