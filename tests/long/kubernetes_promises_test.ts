/** What Kubernetes does to servers and Envoys under load, as experiments. */
import { CLUSTER_ENV, testOnCluster } from "../cluster.ts";
import { experimentsHold } from "../experiment_runs.ts";

/** The core of those that are for Kubernetes; all take a quarter of an hour. */
const PROMISES = [
  "server-rollout",
  "envoy-rollout",
  "forced-delete",
  "node-drain",
  "pods-scale",
];

for (const name of PROMISES) {
  testOnCluster(`${name} holds on Kubernetes, its control breaks`, async () => {
    await experimentsHold(["run", name, "--kubernetes"], [name], CLUSTER_ENV);
  });
}
