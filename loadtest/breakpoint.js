// @ts-check
// Where is the breakpoint: at which rate does p99 exceed its bound?
//
//   k6 run loadtest/breakpoint.js
//
// Holds RATE, which must succeed, then climbs in STEPS equal steps to RATE_MAX,
// where anything may happen: the report names the last rate whose p99 stayed
// below P99_MS without errors or dropped iterations. DURATION is each step's;
// P95_MS bounds the calls at RATE.
import { openLoop, readSettings } from "./lib/open_loop.ts";
import { ms, rate } from "../src/core/load/table.ts";

const settings = readSettings("breakpoint");

const { ratePerS, rateMaxPerS, steps, p99Ms } = settings;
if (rateMaxPerS <= ratePerS) {
  settings.problems.push(
    `RATE_MAX must be above RATE, which is ${ratePerS}, not ${rateMaxPerS}`,
  );
}

const climb = Array.from({ length: steps }, (_, step) => {
  const part = (step + 1) / steps;
  return Math.round(ratePerS + (rateMaxPerS - ratePerS) * part);
});

const test = openLoop({
  settings,
  phases: [
    { name: `${ratePerS}-per-s`, scenario: "sustained" },
    ...climb.map((stepRatePerS) => ({
      name: `${stepRatePerS}-per-s`,
      scenario: "climb",
      ratePerS: stepRatePerS,
      isMeasured: false,
    })),
  ],
  comment: ({ phases }) => [breakpointOf(phases)],
});

/**
 * The breakpoint in a sentence.
 *
 * @param {readonly import("../src/core/load/report.ts").PhaseReport[]} phases
 */
function breakpointOf(phases) {
  const reached = phases.filter(({ name }) => name !== "warm-up");
  /** @param {typeof reached[number]} phase */
  const isFine = ({ latencyMs, errors, askedRatePerS, seconds }) =>
    latencyMs !== null && latencyMs.p99 < p99Ms && errors === 0 &&
    latencyMs.count >= 0.99 * askedRatePerS * seconds;
  const at = reached.findIndex((one) => !isFine(one));
  const found = reached[at];
  if (found === undefined) {
    return `No breakpoint up to ${rateMaxPerS} calls/s: p99 stays below ${p99Ms} ms`;
  }
  const { askedRatePerS, seconds, errors, latencyMs } = found;
  const there = latencyMs === null
    ? "no call ends"
    : `p99 is ${ms(latencyMs.p99)} ms, ${
      rate(latencyMs.count / seconds)
    } calls/s are made, ${errors} fail`;
  const before = reached[at - 1];
  return before === undefined
    ? `The breakpoint is below ${askedRatePerS} calls/s: there ${there}`
    : `The breakpoint is between ${before.askedRatePerS} and ${askedRatePerS} ` +
      `calls/s: at ${askedRatePerS} ${there}`;
}

export const { options, setup, handleSummary } = test;
export default test.run;
