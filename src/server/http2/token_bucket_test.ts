import assert from "node:assert/strict";
import { TokenBucket } from "./token_bucket.ts";

Deno.test("TokenBucket gives what it has at once, and then at its pace", () => {
  const bucket = new TokenBucket(3, 10);
  const taken = (nowMs: number, tries: number) =>
    Array.from({ length: tries }, () => bucket.take(nowMs)).filter(Boolean)
      .length;
  for (
    const [why, nowMs, expected] of [
      ["it begins full", 1_000_000, 3],
      ["nothing is new in no time", 1_000_000, 0],
      ["a part of a token is none", 1_000_099, 0],
      ["but it is kept", 1_000_100, 1],
      ["two more come in 200 ms", 1_000_300, 2],
      ["it never holds more than at the start", 2_000_000, 3],
    ] as const
  ) {
    assert.equal(taken(nowMs, 5), expected, why);
  }
});
