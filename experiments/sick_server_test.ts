import assert from "node:assert/strict";
import { calls, history, host } from "../src/lab/experiment/_history.ts";
import type { Sample } from "../src/lab/experiment/history.ts";
import { judgeOf } from "./_claims.ts";
import { ejectionsOf, sickServer } from "./sick_server.ts";

/** "ooo...": a sample a second, "x" if server-2 is ejected; from 1 s on. */
function samplesOf(pattern: string, rqTotal: (index: number) => number) {
  return [...pattern].map((letter, index): Sample => ({
    atMs: 1000 + index * 1000,
    stats: {},
    hosts: [{
      ...host("server-2", rqTotal(index)),
      isEjected: letter === "x",
    }],
  }));
}

Deno.test("ejectionsOf() finds each, with the calls meanwhile", () => {
  const samples = samplesOf("oxxoxx", (index) => index * 10);
  assert.deepEqual(ejectionsOf({ samples }, "server-2"), [
    { fromMs: 2000, toMs: 4000, calls: 10 },
    { fromMs: 5000, toMs: undefined, calls: 10 },
  ]);
  assert.deepEqual(ejectionsOf({ samples }, "server-1"), []);
});

Deno.test("sick-server: ejected soon, without calls, then for longer", () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    // pattern, ejected, no-call, longer
    ["oxoxxxo", "held", "held", "held"],
    ["ooxoxo", "broken", "held", "broken"],
    ["oxoxx", "held", "held", "unknown"],
    ["oxoo", "held", "held", "broken"],
    ["oooo", "broken", "broken", "broken"],
  ];
  for (const [pattern, ejected, noCall, longer] of rows) {
    const run = history({ samples: samplesOf(pattern, () => 7) });
    const verdictOf = (id: string) => judgeOf(sickServer, id)(run).verdict;
    assert.equal(verdictOf("ejected"), ejected, pattern);
    assert.equal(verdictOf("no-call"), noCall, pattern);
    assert.equal(verdictOf("longer"), longer, pattern);
  }
  const called = history({ samples: samplesOf("oxxo", (index) => index) });
  assert.equal(judgeOf(sickServer, "no-call")(called).verdict, "broken");
});

Deno.test("sick-server: few calls are tried again", () => {
  const judge = judgeOf(sickServer, "few");
  const retried = (count: number) =>
    history({ calls: [...calls(100), ...calls(count, { attempts: 2 })] });
  assert.equal(judge(retried(20)).verdict, "held");
  assert.equal(judge(retried(21)).verdict, "broken");
});
