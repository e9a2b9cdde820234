import assert from "node:assert/strict";
import { missedCalls, waitMs } from "./pacing.ts";

for (
  const [why, index, elapsedMs, ratePerS, expected] of [
    ["the first call is due at once", 0, 0, 1, 0],
    ["the second call waits for its turn", 1, 0, 1, 1000],
    ["time that has passed is not waited for again", 1, 400, 1, 600],
    ["a call on time is due", 3, 1500, 2, 0],
    ["a late call is due, and owes nothing", 3, 9000, 2, 0],
    ["a fast pace has parts of milliseconds", 1, 0, 4000, 0.25],
    ["a slow pace has many", 1, 0, 0.1, 10_000],
  ] as const
) {
  Deno.test(`waitMs() is ${expected}: ${why}`, () => {
    assert.equal(waitMs(index, elapsedMs, ratePerS), expected);
  });
}

for (
  const [why, index, elapsedMs, ratePerS, expected] of [
    ["a call on time is made", 50, 1000, 50, 0],
    ["a call to come is not missed", 50, 0, 50, 0],
    ["a second's calls are made up for", 0, 1000, 50, 0],
    ["what is older is not", 0, 1100, 50, 5],
    ["after 15 s of sleep", 100, 17_000, 50, 700],
    ["a slow pace makes its last call, however late", 1, 35_000, 0.1, 2],
    ["a slow pace misses none that is one interval late", 1, 19_000, 0.1, 0],
    ["a fast pace", 0, 1001, 10_000, 10],
  ] as const
) {
  Deno.test(`missedCalls() is ${expected}: ${why}`, () => {
    assert.equal(missedCalls(index, elapsedMs, ratePerS), expected);
  });
}
