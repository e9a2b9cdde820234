import assert from "node:assert/strict";
import { calls, history, snapshot } from "./_history.ts";
import { invariants } from "./invariants.ts";
import { findingsOf } from "./conduct.ts";
import type { Setup, Verdict } from "./experiment.ts";
import type { History } from "./history.ts";

const SETUP: Setup = { servers: 1 };

function withStats(
  healthy: number,
  panic: number,
  panicAfter = panic,
): History {
  const stats = (panics: number) => ({
    "cluster.grpc-server.membership_healthy": healthy,
    "cluster.grpc-server.membership_total": 1,
    "cluster.grpc-server.lb_healthy_panic": panics,
  });
  return history({
    before: snapshot({ stats: stats(panic) }),
    after: snapshot({ stats: stats(panicAfter) }),
  });
}

/** The verdicts that are not `held`, by claim. */
function complaints(
  given: History,
  isControl = false,
): Record<string, Verdict> {
  const findings = findingsOf(invariants(given.setup, isControl), given);
  return Object.fromEntries(
    findings.filter(({ verdict }) => verdict !== "held")
      .map(({ id, verdict }) => [id, verdict]),
  );
}

Deno.test("invariants() hold for a run in which nothing is wrong", () => {
  assert.deepEqual(complaints(withStats(1, 0)), {});
});

Deno.test("invariants() see each thing that can be wrong", () => {
  const fine = withStats(1, 0);
  const event = { label: "kill", startMs: 1, endMs: 2, error: "gone" };
  const rows: readonly (readonly [string, History, Record<string, Verdict>])[] =
    [
      ["unhealthy", withStats(0, 0), { "healthy-at-start": "broken" }],
      ["panic before", withStats(1, 2), { "no-panic": "broken" }],
      ["panic in the run", withStats(1, 0, 5), { "no-panic": "broken" }],
      ["crash", { ...fine, crashes: ["envoy ended"] }, {
        "no-crash": "broken",
      }],
      ["event", { ...fine, events: [event] }, { events: "broken" }],
      [
        "interrupted event",
        { ...fine, events: [event], isInterrupted: true },
        { events: "unknown" },
      ],
      [
        "late, and Envoy has not seen the calls",
        { ...fine, calls: calls(3, { lateMs: 300 }) },
        { "on-time": "unknown", reconciliation: "broken" },
      ],
    ];
  for (const [what, given, expected] of rows) {
    assert.deepEqual(complaints(given), expected, what);
  }
});

Deno.test("invariants() let a control panic, and others that may", () => {
  const panicking = withStats(1, 0, 5);
  assert.deepEqual(complaints(panicking, true), {});
  const mayPanic = { ...panicking, setup: { ...SETUP, mayPanic: true } };
  assert.deepEqual(complaints(mayPanic), {});
  const unhealthy = withStats(0, 0);
  const fewer = { ...unhealthy, setup: { ...SETUP, healthyAtStart: 0 } };
  assert.deepEqual(complaints(fewer), {});
});
