import assert from "node:assert/strict";
import type { CallRecord, History } from "../src/experiment/authors.ts";
import { gapAtMost, noneIsCut } from "./envoy_restart.ts";

const OK = { status: "OK", details: "" };
const REFUSED = {
  status: "UNAVAILABLE",
  details:
    "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1",
};
const CUT = { status: "UNAVAILABLE", details: "Connection dropped" };

function historyOf(calls: readonly Partial<CallRecord>[]): History {
  return { calls } as unknown as History;
}

Deno.test("noneIsCut() tells calls that were cut from refused ones", () => {
  const many = Array.from({ length: 60 }, () => OK);
  const rows: readonly (readonly [Partial<CallRecord>[], string])[] = [
    [[], "unknown"],
    [many, "held"],
    [[...many, REFUSED], "held"],
    [[...many, REFUSED, CUT], "broken"],
  ];
  for (const [calls, verdict] of rows) {
    assert.equal(noneIsCut(historyOf(calls)).verdict, verdict);
  }
});

Deno.test("gapAtMost() measures from the first lost call to the last", () => {
  const lost = (startMs: number) => ({ ...REFUSED, startMs });
  const rows: readonly (readonly [Partial<CallRecord>[], string])[] = [
    [[{ ...OK, startMs: 0 }], "held"],
    [[lost(100), { ...OK, startMs: 9000 }], "held"],
    [[lost(100), lost(1100)], "held"],
    [[lost(100), lost(1101)], "broken"],
  ];
  for (const [calls, verdict] of rows) {
    assert.equal(gapAtMost(1000)(historyOf(calls)).verdict, verdict);
  }
});
