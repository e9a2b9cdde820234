/**
 * A server dies with several calls on it, and all of them must be tried again
 * in the same moment.
 *
 * With 300 calls a second of 100 ms each, ten are on the server that is
 * killed. The budget always allows 20 retries at once; Envoy's default, three,
 * is used up by one dead server.
 */
import { clusterFields } from "../src/experiment/changes.ts";
import { CUT_SHORT } from "../src/experiment/limits.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import {
  cutShortAtMost,
  lostBeforeAnswerAtMost,
  statGrows,
} from "../src/experiment/judge.ts";

/** Are there enough retries for a server that dies with calls on it? */
export const retryBudget: Experiment = {
  name: "retry-budget",
  question: "Are there enough retries for a server that dies at work?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 4000, workMs: 100 },
  events: [{
    atMs: 1500,
    label: "kill -9 server-2",
    do: async ({ stack }) => {
      await stack.stop("server-2", "SIGKILL");
    },
  }],
  claims: [
    {
      id: "lost",
      text: "no call is lost whose answer had not begun",
      judge: lostBeforeAnswerAtMost(0),
    },
    {
      id: "cut",
      text: "at most one call is lost within its answer",
      judge: cutShortAtMost(1),
    },
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
  limits: [CUT_SHORT],
};
