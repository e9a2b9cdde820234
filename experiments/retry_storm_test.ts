import assert from "node:assert/strict";
import { call, history } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { retryStorm } from "./retry_storm.ts";

Deno.test("retry-storm: attempts during the fault are counted", () => {
  const judge = judgeOf(retryStorm, "tries");
  const rows: readonly (readonly [number, number, string])[] = [
    [600, 1, "held"],
    [600, 2, "broken"],
    [499, 2, "unknown"],
    [600, 0, "unknown"], // Envoy said nothing about them.
  ];
  for (const [count, attempts, verdict] of rows) {
    const calls = Array.from(
      { length: count },
      (_, index) => call({ startMs: 2000 + index, attempts }),
    );
    const outside = call({ startMs: 0, attempts: 1000 });
    const found = judge(history({ calls: [outside, ...calls] }));
    assert.equal(found.verdict, verdict, `${count} with ${attempts}`);
  }
});
