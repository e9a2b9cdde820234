import assert from "node:assert/strict";
import { type ServerInterceptor, status } from "@grpc/grpc-js";
import {
  MemoryBudget,
  memoryLimitBytes,
  type MemoryOptions,
  refuseCalls,
} from "./memory.ts";

const MIB = 1_048_576;

/** The peer for which much is held. */
const GREEDY = "127.0.0.1:1";

for (
  const [why, flagMib, containerBytes, limitMib] of [
    ["the flag's value comes first", 100, 64 * MIB, 100],
    ["else a container's limit counts", 0, 64 * MIB, 64],
    ["0 is no limit", 0, 0, 256],
    ["a number beyond all memory is no limit", 0, 9223372036854771712, 256],
    ["without a container there is a default", 0, undefined, 256],
  ] as const
) {
  Deno.test(`memoryLimitBytes() is ${limitMib} MiB: ${why}`, () => {
    assert.equal(memoryLimitBytes(flagMib, containerBytes), limitMib * MIB);
  });
}

/** A budget of 100 MiB with adjustable figures, in MiB. */
function budgetOf(
  now: { heldMib: number; residentMib: number; ms: number },
  options: Partial<MemoryOptions> = {},
): { budget: MemoryBudget; lines: string[]; full: () => number } {
  const lines: string[] = [];
  let full = 0;
  const budget = new MemoryBudget({
    limitBytes: 100 * MIB,
    heldBytes: () => now.heldMib * MIB,
    isGreedy: (peer) => peer === GREEDY,
    residentBytes: () => now.residentMib * MIB,
    log: (line) => lines.push(line),
    onFull: () => full += 1,
    now: () => now.ms,
    random: () => 0.5,
    ...options,
  });
  return { budget, lines, full: () => full };
}

Deno.test("MemoryBudget refuses from half of what may be held, and logs it", () => {
  const now = { heldMib: 6.24, residentMib: 0, ms: 0 };
  const { budget, lines } = budgetOf(now);
  assert.equal(MemoryBudget.heldBytesMax(100 * MIB), 12.5 * MIB);
  assert.equal(budget.refuses(GREEDY), false);
  now.heldMib = 6.25;
  for (let call = 0; call < 1000; call += 1) {
    assert.equal(budget.refuses(GREEDY), true);
  }
  assert.equal(budget.refuses("127.0.0.1:2"), false, "others are served");
  assert.deepEqual(lines, ["refusing a new call: 6 MiB are held for peers"]);
  now.heldMib = 0;
  assert.equal(budget.refuses(GREEDY), false);
});

for (
  const [random, thresholdMib] of [[0, 72], [0.5, 78], [0.999, 83.988]] as const
) {
  Deno.test(`MemoryBudget is full above ${thresholdMib} of 100 MiB if ${random} is drawn`, () => {
    const now = { heldMib: 0, residentMib: thresholdMib - 0.001, ms: 0 };
    const { budget, full } = budgetOf(now, { random: () => random });
    for (let sample = 0; sample < 20; sample += 1) budget.sample();
    assert.equal(full(), 0);
    now.residentMib = thresholdMib + 0.001;
    for (let sample = 0; sample < 20; sample += 1) budget.sample();
    assert.equal(full(), 1, "once, and no more");
  });
}

Deno.test("MemoryBudget waits for garbage collection", () => {
  const now = { heldMib: 0, residentMib: 0, ms: 0 };
  const { budget, lines, full } = budgetOf(now);
  for (const residentMib of [90, 90, 90, 10, 90, 90, 90]) {
    now.residentMib = residentMib;
    budget.sample();
  }
  assert.equal(full(), 0);
  budget.sample();
  assert.equal(full(), 1);
  budget.sample();
  assert.deepEqual(lines, [
    "resident memory is 90 of 100 MiB: draining to restart",
  ]);
});

/** What happens to a call: its status, or that it starts. */
function callThrough(interceptor: ServerInterceptor, path: string): unknown {
  let outcome: unknown;
  const call = {
    getPeer: () => GREEDY,
    start: () => outcome = "started",
    sendStatus: ({ code }: { code: number }) => outcome = code,
  };
  const [descriptor, inner] = [{ path }, call] as unknown as Parameters<
    ServerInterceptor
  >;
  interceptor(descriptor, inner).start({} as never);
  return outcome;
}

Deno.test("refuseCalls() refuses the Greeter's calls, and no others", () => {
  const now = { heldMib: 10, residentMib: 0, ms: 0 };
  const interceptor = refuseCalls(budgetOf(now).budget);
  const greet = "/demo.v1.Greeter/SayHello";
  assert.equal(callThrough(interceptor, greet), status.RESOURCE_EXHAUSTED);
  for (const path of ["/grpc.health.v1.Health/Check", "/demo.v1.Admin/A"]) {
    assert.equal(callThrough(interceptor, path), "started");
  }
  now.heldMib = 0;
  assert.equal(callThrough(interceptor, greet), "started");
});
