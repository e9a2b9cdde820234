import assert from "node:assert/strict";
import { calls, history, host } from "../src/experiment/_history.ts";
import type { Sample } from "../src/experiment/authors.ts";
import { judgeOf } from "./_claims.ts";
import { ejectionsOf, faultyServer } from "./faulty_server.ts";

/**
 * A sample a second from 1 s on: "o" in rotation, a digit in that ejection.
 *
 * @param rqTotal What Envoy had sent to it by each sample.
 */
function samplesOf(pattern: string, rqTotal: (index: number) => number) {
  let ejections = 0;
  return [...pattern].map((letter, index): Sample => {
    if (letter !== "o") ejections = Number(letter);
    return {
      atMs: 1000 + index * 1000,
      stats: { "outlier_detection.ejections_enforced_total": ejections },
      hosts: [{
        ...host("server-2", rqTotal(index)),
        isEjected: letter !== "o",
      }],
    };
  });
}

Deno.test("ejectionsOf() finds each, with the calls meanwhile", () => {
  const samples = samplesOf("o1111o22", (index) => index * 10);
  assert.deepEqual(ejectionsOf({ samples }, "server-2"), [
    { fromMs: 2000, toMs: 6000, calls: 10 },
    { fromMs: 7000, toMs: undefined, calls: 0 },
  ]);
  assert.deepEqual(ejectionsOf({ samples }, "server-1"), []);
});

Deno.test("ejectionsOf() tells two between which there was no sample", () => {
  const samples = samplesOf("o111222o", (index) => index < 4 ? 5 : 10);
  assert.deepEqual(ejectionsOf({ samples }, "server-2"), [
    { fromMs: 2000, toMs: 5000, calls: 0 },
    { fromMs: 5000, toMs: 8000, calls: 0 },
  ]);
});

Deno.test("faulty-server: ejected soon, without calls, then for longer", () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    // pattern, ejected, no-call, longer
    ["o1o222o", "held", "held", "held"],
    ["oo1o2o", "broken", "held", "broken"],
    ["o1o22", "held", "held", "unknown"],
    ["o1oo", "held", "held", "broken"],
    ["oooo", "broken", "broken", "broken"],
  ];
  for (const [pattern, ejected, noCall, longer] of rows) {
    const run = history({ samples: samplesOf(pattern, () => 7) });
    const verdictOf = (id: string) => judgeOf(faultyServer, id)(run).verdict;
    assert.equal(verdictOf("ejected"), ejected, pattern);
    assert.equal(verdictOf("no-call"), noCall, pattern);
    assert.equal(verdictOf("longer"), longer, pattern);
  }
  const called = history({ samples: samplesOf("o1111o", (index) => index) });
  assert.equal(judgeOf(faultyServer, "no-call")(called).verdict, "broken");
});

Deno.test("faulty-server: few calls are retried", () => {
  const judge = judgeOf(faultyServer, "few");
  const retried = (count: number) =>
    history({ calls: [...calls(100), ...calls(count, { attempts: 2 })] });
  assert.equal(judge(retried(20)).verdict, "held");
  assert.equal(judge(retried(21)).verdict, "broken");
});
