import assert from "node:assert/strict";
import { faultOf } from "./ctl.ts";

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
