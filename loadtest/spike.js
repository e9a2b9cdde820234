// @ts-check
// Does a spike have after-effects?
//
//   k6 run loadtest/spike.js
//
// A third of DURATION at RATE, a third at SPIKE_RATE, a third at RATE again.
// Calls may be slower in the spike, within SPIKE_P99_MS; none may fail, and
// afterwards latency must be as before, within P99_MS. P95_MS bounds all calls.
import { openLoop, readSettings } from "./lib/open_loop.ts";

const settings = readSettings("spike");

const { ratePerS, spikeRatePerS, p99Ms, spikeP99Ms } = settings;
const durationMs = Math.round(settings.durationMs / 3);

const test = openLoop({
  settings,
  phases: [
    { name: "before", ratePerS, durationMs, p99Ms },
    {
      name: "spike",
      ratePerS: spikeRatePerS,
      durationMs,
      p99Ms: spikeP99Ms,
    },
    { name: "after", ratePerS, durationMs, p99Ms },
  ],
  // Most calls are the spike's, so its bound applies to the whole run.
  bounds: { p95Ms: settings.p95Ms, p99Ms: spikeP99Ms },
});

export const { options, setup, handleSummary } = test;
export default test.run;
