/**
 * A server dies with several calls in flight, and all of them must be retried
 * at the same moment.
 *
 * At 300 calls a second of 100 ms each, ten are in flight on the server that is
 * killed. The budget always allows 20 concurrent retries; one dead server
 * exhausts Envoy's default of three.
 */
import {
  type Experiment,
  noRetryBudget,
  statGrows,
} from "../src/experiment/authors.ts";
import { killServer2, noCallIsLost } from "./_claims.ts";

export const retryBudget: Experiment = {
  name: "retry-budget",
  question:
    "Are there enough retries for a server that dies with calls in flight?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 4000, workMs: 100 },
  events: [killServer2],
  claims: [
    noCallIsLost,
    {
      id: "several",
      text: "more calls are retried than Envoy allows by default",
      judge: statGrows("upstream_rq_retry", { min: 4 }),
    },
    {
      id: "budget",
      text: "no retry is refused",
      judge: statGrows("upstream_rq_retry_overflow", { max: 0 }),
    },
  ],
  control: {
    about: "no retry budget: Envoy's default of three concurrent retries",
    changes: [noRetryBudget],
    breaks: ["lost", "budget"],
  },
};
