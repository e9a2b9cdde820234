import assert from "node:assert/strict";
import { Shortfall, shortfallLines } from "./shortfall.ts";

Deno.test("Shortfall speaks at once, and then every 10 s at most", () => {
  let nowMs = 0;
  const shortfall = new Shortfall(1, () => nowMs);
  assert.equal(
    shortfall.add(1, "full"),
    "the rate is not reached: 1 call skipped: 1 in flight is the limit; " +
      "raise --concurrency or lower --rate",
  );
  for (nowMs = 1; nowMs < 10_000; nowMs += 1) {
    assert.equal(shortfall.add(1, "full"), undefined);
  }
  assert.equal(
    shortfall.add(700, "heldUp"),
    "the rate is not reached: 700 calls skipped: the client was paused or " +
      "its machine is too busy",
  );
  assert.deepEqual(shortfall.skipped, { full: 10_000, heldUp: 700 });
});

for (
  const [what, full, heldUp, reachedPerS, expected] of [
    ["a rate that is reached", 0, 0, 96, []],
    ["a rate that is not", 0, 0, 90.5, ["rate 90.5 of 100 calls a second"]],
    ["calls left out", 3, 1, 99, [
      "rate 99 of 100 calls a second",
      "3 calls skipped: 5 in flight is the limit; raise --concurrency or " +
      "lower --rate",
      "1 call skipped: the client was paused or its machine is too busy",
    ]],
  ] as const
) {
  Deno.test(`shortfallLines() of ${what}`, () => {
    assert.deepEqual(
      shortfallLines({
        skipped: { full, heldUp },
        ratePerS: 100,
        reachedPerS,
        concurrency: 5,
      }),
      expected,
    );
  });
}
