/**
 * A server dies with several calls on it, and all of them must be tried again
 * in the same moment.
 *
 * With 300 calls a second of 100 ms each, ten are on the server that is
 * killed. The budget always allows 20 retries at once; Envoy's default, three,
 * is used up by one dead server.
 */
import { clusterFields } from "../src/experiment/changes.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import { statGrows } from "../src/experiment/judge.ts";
import { killServer2, noCallIsLost } from "./_claims.ts";

/** Are there enough retries for a server that dies with calls on it? */
export const retryBudget: Experiment = {
  name: "retry-budget",
  question: "Are there enough retries for a server that dies at work?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 4000, workMs: 100 },
  events: [killServer2],
  claims: [
    noCallIsLost,
    {
      id: "several",
      text: "more calls are tried again than Envoy allows by default",
      judge: statGrows("upstream_rq_retry", { min: 4 }),
    },
    {
      id: "budget",
      text: "no retry is refused",
      judge: statGrows("upstream_rq_retry_overflow", { max: 0 }),
    },
  ],
  control: {
    about: "no retry budget: Envoy's default of three retries at once",
    changes: [
      clusterFields("three retries at once", {
        circuit_breakers: { thresholds: [{ max_requests: 512 }] },
      }),
    ],
    breaks: ["lost", "budget"],
  },
};
