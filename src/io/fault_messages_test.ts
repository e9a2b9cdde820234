import assert from "node:assert/strict";
import { checkFault, type Fault } from "../core/fault.ts";
import { fromRequest, toFlags, toRequest } from "./fault_messages.ts";
import { Admin, type SetFaultRequest } from "./proto.ts";

const FAULTS: readonly Fault[] = [
  { kind: "hang", durationMs: 5 },
  { kind: "status", durationMs: 5, code: 8, isAfterHeaders: true, share: 0 },
  {
    kind: "delay",
    durationMs: 600_000,
    delayMs: 20,
    delayShape: "uniform",
    share: 0.25,
    seed: 9,
    isServing: false,
  },
];

Deno.test("a fault is the same after its way over the wire", () => {
  const method = Admin.service["SetFault"];
  assert.ok(method);
  for (const fault of FAULTS) {
    const bytes = method.requestSerialize(toRequest(fault));
    const received = method.requestDeserialize(bytes) as SetFaultRequest;
    assert.deepEqual(checkFault(fromRequest(received)), checkFault(fault));
  }
});

Deno.test("toFlags() gives the flags of what is not left open", () => {
  assert.deepEqual(toFlags(FAULTS[0] as Fault), [
    ...["--kind", "hang", "--duration", "5"],
  ]);
  assert.deepEqual(toFlags(FAULTS[1] as Fault), [
    ...["--kind", "status", "--duration", "5", "--share", "0"],
    ...["--code", "8", "--after-headers"],
  ]);
  assert.deepEqual(toFlags(FAULTS[2] as Fault), [
    ...["--kind", "delay", "--duration", "600000", "--share", "0.25"],
    ...["--seed", "9", "--delay", "20", "--delay-shape", "uniform"],
    "--not-serving",
  ]);
});
