/** Two of five servers leave under load. */
import {
  broken,
  clusterFields,
  eventAtMs,
  type Experiment,
  heldIf,
  type Judge,
  noRetries,
  unknown,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const SCALE = "scale 5 to 3";
const GONE_MS_MAX = 5000;

/** Envoy removes the servers that discovery no longer returns. */
const forgotten: Judge = (history) => {
  const scaleMs = eventAtMs(history, SCALE);
  if (scaleMs === undefined) return unknown(`no event "${SCALE}"`);
  const sample = history.samples.find(({ atMs, stats }) =>
    atMs >= scaleMs && stats["membership_total"] === 3
  );
  if (sample === undefined) {
    return broken("Envoy never had exactly 3 servers again");
  }
  const tookMs = sample.atMs - scaleMs;
  return heldIf(tookMs <= GONE_MS_MAX, `3 servers ${tookMs.toFixed(0)} ms on`);
};

export const scaleDown: Experiment = {
  name: "scale-down",
  question: "Is a call lost when two of five servers leave?",
  setup: { servers: 5 },
  load: { ratePerS: 300, durationMs: 8000, workMs: 20 },
  events: [{
    atMs: 1000,
    label: SCALE,
    do: ({ stack }) => stack.scale(3),
  }],
  claims: [
    noCallIsLost,
    {
      id: "gone",
      text: `Envoy removes them within ${GONE_MS_MAX / 1000} s`,
      judge: forgotten,
    },
  ],
  control: {
    about: "no drain, no retries, discovery once a minute",
    changes: [
      noRetries,
      clusterFields("discovery every 60 s", { dns_refresh_rate: "60s" }),
    ],
    setup: { serverFlags: ["--drain-wait", "0", "--close-deadline", "0"] },
    breaks: ["lost", "gone"],
  },
};
