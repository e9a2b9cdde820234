import assert from "node:assert/strict";
import { serverState, stateOf } from "../control/_state.ts";
import { faultOf, statusLines } from "./ctl.ts";

const FLAGS = { durationMs: 5000, delayMs: 300 };

Deno.test("a fault of each kind has the fields without which it does nothing", () => {
  const durationMs = 5000;
  const faults = (["status", "delay", "health"] as const).map((kind) =>
    faultOf({ kind, ...FLAGS })
  );
  assert.deepEqual(faults, [
    { kind: "status", durationMs },
    { kind: "delay", durationMs, delayMs: 300 },
    { kind: "health", durationMs, isServing: false },
  ]);
});

Deno.test("status has a row for each server, with its latency if there is one", () => {
  const servers = [
    serverState(1, { latencyMs: { p50: 1.2, p99: 812 } }),
    serverState(10, { latencyMs: null, process: "stopped", started: 123456 }),
  ];
  const lines = statusLines(stateOf(2, { servers }));
  assert.deepEqual(lines.slice(0, 3), [
    "server     process  Envoy's view  active  started     p50       p99",
    "server-1   running  healthy            0        7  1.2 ms  812.0 ms",
    "server-10  stopped  healthy            0   123456       -         -",
  ]);
});
