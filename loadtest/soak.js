// @ts-check
// Does it last: is the last quarter of a long run as good as the first?
//
//   k6 run loadtest/soak.js
//
// P99_MS bounds each quarter's calls.
import { openLoop, readSettings } from "./lib/open_loop.ts";
import { ms } from "../src/core/load/table.ts";

const settings = readSettings("soak");

const QUARTERS = ["quarter-1", "quarter-2", "quarter-3", "quarter-4"];

const test = openLoop({
  settings,
  phases: QUARTERS.map((name) => ({
    name,
    durationMs: Math.round(settings.durationMs / QUARTERS.length),
    p99Ms: settings.p99Ms,
  })),
  comment: ({ phases }) => {
    const [first, last] = [QUARTERS[0], QUARTERS[3]].map((name) =>
      phases.find((phase) => phase.name === name)?.latencyMs
    );
    return !first || !last ? [] : [
      `p50 was ${ms(first.p50)} ms in the first quarter, ${
        ms(last.p50)
      } ms in the last`,
    ];
  },
});

export const { options, setup, handleSummary } = test;
export default test.run;
