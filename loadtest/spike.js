// @ts-check
// Does a spike have after-effects?
//
//   k6 run loadtest/spike.js
//
// A third of DURATION at RATE, a third at SPIKE_RATE, a third at RATE again.
// Calls may be slower in the spike, within a bound; none may fail, and
// afterwards latency must be as before.
//
// Settings as in grpc.js, and:
//   SPIKE_RATE    calls per second in the spike            1500
//   SPIKE_P99_MS  bound of 99 % of the spike's calls, ms   1000
//   P95_MS        bound of 95 % of all calls, in ms        1000
//   P99_MS        bound of 99 % before and after, in ms    100
//   VUS           most calls in flight                     499
import { openLoop } from "./lib/open_loop.ts";
import { warmup } from "./lib/phases.ts";
import { readSettings } from "./lib/settings.ts";

const settings = readSettings("spike");

const { ratePerS, spikeRatePerS, p99Ms, spikeP99Ms } = settings;

const test = openLoop({
  shape: "spike",
  settings,
  phases: [
    ...warmup(settings, "spike"),
    phase("before", ratePerS, p99Ms),
    phase("spike", spikeRatePerS, spikeP99Ms),
    phase("after", ratePerS, p99Ms),
  ],
  // Most calls are the spike's, so its bound applies to the whole run.
  bounds: { p95Ms: settings.p95Ms, p99Ms: spikeP99Ms },
});

/**
 * @param {string} name
 * @param {number} phaseRatePerS
 * @param {number} phaseP99Ms
 */
function phase(name, phaseRatePerS, phaseP99Ms) {
  return {
    name,
    scenario: "spike",
    ratePerS: phaseRatePerS,
    durationMs: Math.round(settings.durationMs / 3),
    isMeasured: true,
    p99Ms: phaseP99Ms,
  };
}

export const options = test.options;
export const setup = test.setup;
export default test.run;
export const handleSummary = test.handleSummary;
