/** The judges of the experiments about even shares. */
import assert from "node:assert/strict";
import { history } from "../src/experiment/_history.ts";
import type { History } from "../src/experiment/authors.ts";
import { judgeOf } from "./_claims.ts";
import { evenlySpread } from "./streams.ts";
import { evenInTheLongRun, workerConcurrency } from "./worker_concurrency.ts";

/** What was measured under the names of three servers. */
function measuredAs(
  prefix: string,
  counts: readonly (readonly number[])[],
): History {
  const measures = counts.flatMap((values, at) =>
    values.map((value) => ({
      name: `${prefix}server-${at + 1}`,
      value,
      atMs: 0,
    }))
  );
  return history({ setup: { servers: 3 }, measures });
}

Deno.test("evenInTheLongRun() compares the sums of all samples", () => {
  const rows: readonly (readonly [number[][], string])[] = [
    [[[96], [96], [96]], "held"],
    [[[50, 65], [86], [87]], "held"],
    [[[50, 66], [86], [86]], "broken"],
    [[[8], [8], [8]], "unknown"],
  ];
  for (const [counts, verdict] of rows) {
    assert.equal(evenInTheLongRun(measuredAs("", counts)).verdict, verdict);
  }
});

Deno.test("evenlySpread() wants the same number on every server", () => {
  const rows: readonly (readonly [number[][], string])[] = [
    [[[1, 1], [1, 1], [1, 1]], "held"],
    [[[1, 1], [1], [1, 1, 1]], "broken"],
    [[[1], [], []], "broken"],
    [[[], [], []], "unknown"],
  ];
  for (const [counts, verdict] of rows) {
    const judged = evenlySpread(measuredAs("streams of ", counts));
    assert.equal(judged.verdict, verdict);
  }
});

Deno.test("worker-concurrency: the most connections at once count", () => {
  const judge = judgeOf(workerConcurrency, "connections");
  const verdictOf = (...counts: readonly number[]) =>
    judge(history({
      samples: counts.map((count, atMs) => ({
        atMs,
        stats: { upstream_cx_active: count },
        hosts: [],
      })),
    })).verdict;
  assert.equal(verdictOf(0, 3, 3), "held");
  assert.equal(verdictOf(3, 4, 3), "broken");
  assert.equal(verdictOf(0), "unknown");
});
