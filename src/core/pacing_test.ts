import assert from "node:assert/strict";
import { waitMs } from "./pacing.ts";

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
