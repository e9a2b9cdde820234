import assert from "node:assert/strict";
import { call, history } from "../src/experiment/_history.ts";
import type { CallRecord } from "../src/experiment/authors.ts";
import { judgeOf } from "./_claims.ts";
import { allDownAndBack } from "./all_down_and_back.ts";

const EVENTS = [
  { label: "kill -9 all", startMs: 1000, endMs: 1010 },
  { label: "start all", startMs: 5000, endMs: 5300 },
];

const REFUSED = { status: "UNAVAILABLE", latencyMs: 5 };

function refusals(parts: Partial<CallRecord> = {}): CallRecord[] {
  return Array.from(
    { length: 100 },
    (_, index) => call({ startMs: 1200 + index, ...REFUSED, ...parts }),
  );
}

Deno.test("all-down-and-back: calls fail fast while all are down", () => {
  const judge = judgeOf(allDownAndBack, "fails-fast");
  const rows: readonly (readonly [CallRecord[], string])[] = [
    [refusals(), "held"],
    [refusals({ latencyMs: 51 }), "broken"],
    [refusals({ status: "DEADLINE_EXCEEDED" }), "broken"],
    [[], "unknown"],
    // Before and after nobody minds.
    [[...refusals(), call({ startMs: 900 }), call({ startMs: 6000 })], "held"],
  ];
  for (const [calls, verdict] of rows) {
    assert.equal(judge(history({ events: EVENTS, calls })).verdict, verdict);
  }
  assert.equal(judge(history({ calls: refusals() })).verdict, "unknown");
});

Deno.test("all-down-and-back: the first successful call decides", () => {
  const judge = judgeOf(allDownAndBack, "back");
  const measures = [{
    name: "first server serves at",
    value: 5300,
    atMs: 5300,
  }];
  const rows: readonly (readonly [number, string])[] = [
    [7000, "held"],
    [7900, "broken"],
    [900, "broken"], // That was before the kill: none has come since.
  ];
  for (const [startMs, verdict] of rows) {
    const calls = [...refusals(), call({ startMs })];
    const found = judge(history({ events: EVENTS, measures, calls }));
    assert.equal(found.verdict, verdict);
  }
  assert.equal(judge(history({ events: EVENTS })).verdict, "unknown");
});
