/** A server is killed under load. */
import { noRetries } from "../src/experiment/changes.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import { healthyWithin, statGrows } from "../src/experiment/judge.ts";
import { killServer2, noCallIsLost } from "./_claims.ts";

/** envoy.yaml has an interval of 1 s and an edge interval of 0.25 s. */
const UNHEALTHY_MS_MAX = 1500;

export const killOne: Experiment = {
  name: "kill-one",
  question: "Is a call lost when a server is killed with kill -9?",
  isShort: true,
  isForDocker: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 5000, workMs: 20 },
  events: [killServer2],
  claims: [
    noCallIsLost,
    {
      id: "noticed",
      text:
        `Envoy notices within ${UNHEALTHY_MS_MAX} ms (sampled every 250 ms)`,
      judge: healthyWithin(killServer2.label, 2, UNHEALTHY_MS_MAX + 250),
    },
    {
      id: "retried",
      text: "calls in flight on it are retried",
      judge: statGrows("upstream_rq_retry", { min: 1 }),
    },
  ],
  control: {
    about: "no retries",
    changes: [noRetries],
    breaks: ["lost", "retried"],
  },
};
