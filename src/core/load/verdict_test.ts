import assert from "node:assert/strict";
import { LATENCIES, REPORT } from "./_report.ts";
import type { LoadReport, ThresholdReport } from "./report.ts";
import { crossedLines, verdictLine, verdictOf } from "./verdict.ts";

const BUSY = { ...LATENCIES, p95: 40, p99: 90, max: 200 };
const QUIET = { ...LATENCIES, p95: 2, p99: 4, max: 30 };

function crossed(
  metric: string,
  condition: string,
  value: number,
): ThresholdReport {
  return { metric, condition, value, ok: false };
}

const P95 = crossed("grpc_req_duration{measured:yes}", "p(95)<50", 80);
const PHASE = crossed("grpc_req_duration{phase:after}", "p(99)<100", 150);
const FIRST = crossed("first_message_ms{measured:yes}", "p(95)<50", 80);
const DELAYED = crossed("grpc_req_duration{measured:yes}", "p(95)<50", 300);
const DROPPED = crossed("dropped_iterations{scenario:a}", "count==0", 4);
const TIGHT = crossed("grpc_req_duration{measured:yes}", "p(95)<5", 5.5);
const SHARE = crossed("share_slot_1", "rate>=0.33", 0.1);
const MISSING = crossed("servers_found", "value==3", 2);
const ERRORS = crossed("errors", "rate==0", 0.1);

for (
  const [what, reference, thresholds, expected] of [
    ["nothing crossed on a quiet machine", QUIET, [], "held"],
    ["nothing crossed on a busy machine", BUSY, [], "held"],
    ["late calls on a busy machine", BUSY, [P95, PHASE], "unknown"],
    ["late first messages on a busy machine", BUSY, [FIRST], "unknown"],
    ["late calls on a quiet machine", QUIET, [P95], "failed"],
    ["a bound too tight for a quiet machine", QUIET, [TIGHT], "failed"],
    ["late calls on a machine nobody watched", null, [P95], "failed"],
    ["calls later than waiting explains", BUSY, [DELAYED], "failed"],
    ["no caller free on a busy machine", BUSY, [DROPPED], "unknown"],
    ["no caller free on a quiet machine", QUIET, [DROPPED], "failed"],
    ["a missing server on a busy machine", BUSY, [P95, MISSING], "failed"],
    ["uneven shares on a busy machine", BUSY, [SHARE], "failed"],
    ["failed calls on a busy machine", BUSY, [P95, ERRORS], "failed"],
  ] as const
) {
  Deno.test(`verdictOf() is ${expected} for ${what}`, () => {
    const report: LoadReport = { ...REPORT, reference, thresholds };
    assert.equal(verdictOf(report), expected);
  });
}

Deno.test("verdictOf() is interrupted, whatever was crossed until then", () => {
  const report = { ...REPORT, isComplete: false, thresholds: [SHARE] };
  assert.equal(verdictOf(report), "interrupted");
});

Deno.test("verdictOf() is unknown where thresholds hold and nothing was counted", () => {
  const report = { ...REPORT, uncounted: "Envoy does not answer" };
  assert.equal(verdictOf(report), "unknown");
  assert.equal(
    verdictLine(report).text,
    "UNKNOWN: all 0 thresholds hold, but what the servers and Envoy counted " +
      "could not be read; rerun it",
  );
  assert.equal(verdictOf({ ...report, thresholds: [SHARE] }), "failed");
});

Deno.test("verdictLine() and crossedLines() say what was crossed", () => {
  const report = {
    ...REPORT,
    thresholds: [SHARE, { metric: "calls", condition: "count>0", ok: false }],
  };
  assert.deepEqual(verdictLine(report), {
    colour: "red",
    text: "FAILED: 2 of 2 thresholds crossed",
  });
  assert.deepEqual(crossedLines(report), [
    "share_slot_1: must be rate>=0.33, is 0.1",
    "calls: must be count>0, is missing",
  ]);
  const unknown = { ...REPORT, reference: BUSY, thresholds: [P95] };
  assert.match(verdictLine(unknown).text, /^UNKNOWN: the machine was busy \(/);
});
