import assert from "node:assert/strict";
import type { FailedCall, Report } from "./calls.ts";
import {
  gateTable,
  isPassed,
  judgeCalls,
  judgeDisconnects,
  judgeExit,
  judgeKept,
  judgeRestarts,
} from "./judge.ts";

function failed(
  code: string,
  startedAtMs = 0,
  endedAtMs = startedAtMs + 1,
): FailedCall {
  return { code, startedAtMs, endedAtMs, details: "" };
}

function report(fields: Partial<Report>): Report {
  return {
    calls: 0,
    failures: [],
    successesAtMs: [],
    disconnects: 0,
    ...fields,
  };
}

Deno.test("judgeExit() takes 0 only for a good end", () => {
  assert.deepEqual(judgeExit("server", { code: 0, signal: null }), []);
  assert.deepEqual(
    judgeExit("server", { code: 134, signal: "SIGABRT" }),
    ["server exit 134 (SIGABRT)"],
  );
  assert.deepEqual(
    judgeExit("client", { code: 1, signal: null }),
    ["client exit 1"],
  );
});

Deno.test("judgeCalls() counts lost calls by code, and those not made", () => {
  assert.deepEqual(judgeCalls(report({ calls: 5 }), 5), []);
  assert.deepEqual(judgeCalls(report({ calls: 3 }), 5), ["2 calls not made"]);
  const failures = [
    failed("CANCELLED"),
    failed("DEADLINE_EXCEEDED"),
    failed("CANCELLED"),
  ];
  assert.deepEqual(judgeCalls(report({ calls: 5, failures }), 5), [
    "3 of 5 calls lost: 2 CANCELLED, 1 DEADLINE_EXCEEDED",
  ]);
});

Deno.test("judgeDisconnects() wants the closing to have happened", () => {
  assert.deepEqual(judgeDisconnects(10, 10), []);
  assert.deepEqual(judgeDisconnects(0, 10), [
    "0 connections closed by age, not 10 or more",
  ]);
});

/** Envoy is away from 1,000 to 2,000 and is answered through from 2,500. */
const ABSENCES = [{ stoppedAtMs: 1_000, readyAtMs: 2_000 }];
const SUCCESSES = [900, 2_500, 2_600];

for (
  const [what, failure, reasons] of [
    ["in flight when Envoy stops", failed("UNAVAILABLE", 990, 1_001), []],
    ["while Envoy is away", failed("UNAVAILABLE", 1_500), []],
    ["before the first answer", failed("UNAVAILABLE", 2_400), []],
    [
      "with another code while Envoy is away",
      failed("INTERNAL", 1_500),
      ["1 of 9 calls lost: 1 INTERNAL"],
    ],
    [
      "as it is written when Envoy stops",
      { ...failed("INTERNAL", 990, 1_001), details: "… write EPIPE" },
      [],
    ],
    [
      "before Envoy stops",
      failed("UNAVAILABLE", 900),
      ["1 of 9 calls lost: 1 UNAVAILABLE"],
    ],
    [
      "after the first answer",
      failed("UNAVAILABLE", 2_550),
      ["1 of 9 calls lost: 1 UNAVAILABLE"],
    ],
    [
      "without an end while Envoy is away",
      failed("DEADLINE_EXCEEDED", 1_500, 9_500),
      ["1 of 9 calls lost: 1 DEADLINE_EXCEEDED"],
    ],
  ] as const
) {
  Deno.test(`judgeRestarts() judges a call that fails ${what}`, () => {
    const calls = report({
      calls: 9,
      failures: [failure],
      successesAtMs: SUCCESSES,
    });
    assert.deepEqual(judgeRestarts(calls, ABSENCES), reasons);
  });
}

Deno.test("judgeRestarts() wants answers within 2 s of Envoy's return", () => {
  const late = ["no answer within 2 s after 1 of 1 restarts"];
  const verdict = (successesAtMs: number[]) =>
    judgeRestarts(report({ successesAtMs }), ABSENCES);
  assert.deepEqual(verdict([4_000]), []);
  assert.deepEqual(verdict([4_001]), late);
  assert.deepEqual(verdict([1_999]), late);
});

Deno.test("judgeKept() takes less than 2 KiB, and nothing but a number", () => {
  assert.equal(judgeKept(-300), "-0.3 KiB");
  assert.equal(judgeKept(2047), "2.0 KiB");
  assert.deepEqual(judgeKept(2048), [
    "a closed connection keeps 2.0 KiB, not below 2 KiB",
  ]);
  assert.notEqual(typeof judgeKept(NaN), "string");
});

Deno.test("isPassed() is false for reasons and for what was not run", () => {
  const outcomes = [[], "3.1 KiB", ["server exit 134"], "not run"];
  assert.deepEqual(outcomes.map(isPassed), [true, true, false, false]);
});

Deno.test("gateTable() has a row for each version, and why checks failed", () => {
  const rows = [
    { version: "1.2.3", checks: [[], [], "3.1 KiB"] },
    {
      version: "1.10.0",
      checks: [["server exit 134", "at client 1"], [], "24.0 KiB"],
    },
    { version: "1.0.0", checks: ["not run", "not run", "not run"] },
  ];
  assert.deepEqual(gateTable(["first", "second", "third"], rows), [
    "  Deno  first    second   third",
    " 1.2.3  ok       ok       3.1 KiB",
    "1.10.0  FAILED   ok       24.0 KiB",
    " 1.0.0  not run  not run  not run",
    "",
    "1.10.0  first: server exit 134; at client 1",
  ]);
});
