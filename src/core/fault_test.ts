import assert from "node:assert/strict";
import { type ActiveFault, checkFault, type Fault, planCall } from "./fault.ts";
import { seededRandom } from "./random.ts";

function active(fault: Partial<Fault> & Pick<Fault, "kind">): ActiveFault {
  const checked = checkFault({ durationMs: 1000, ...fault });
  return { fault: checked, random: seededRandom(checked.seed) };
}

Deno.test("checkFault() fills in what a fault leaves open", () => {
  assert.deepEqual(checkFault({ kind: "status", durationMs: 5 }), {
    kind: "status",
    durationMs: 5,
    share: 1,
    seed: 1,
    code: 14,
    isAfterHeaders: false,
    delayMs: 0,
    delayShape: "fixed",
    isServing: true,
  });
});

Deno.test("checkFault() refuses what is out of range and says the range", () => {
  const good = { kind: "status", durationMs: 5 } as const;
  const rows: readonly (readonly [Fault, RegExp])[] = [
    [{ ...good, durationMs: 0 }, /duration in ms 0: .* from 1 to 600000/],
    [{ ...good, durationMs: 1e9 }, /duration in ms 1000000000/],
    [{ ...good, durationMs: NaN }, /duration in ms NaN/],
    [{ ...good, share: 1.5 }, /share 1.5: .* from 0 to 1/],
    [{ ...good, code: 0 }, /code 0: .* from 1 to 16/],
    [{ ...good, delayMs: -1 }, /delay in ms -1/],
    [{ ...good, kind: "cpu", share: 1 }, /share 1: .* from 0 to 0.95/],
    [{ ...good, kind: "flood" as "cpu" }, /no kind "flood": .* status, delay/],
  ];
  for (const [fault, message] of rows) {
    assert.throws(() => checkFault(fault), { name: "RangeError", message });
  }
});

Deno.test("planCall() leaves calls alone without a fault for them", () => {
  const nothing = { delayMs: 0, end: undefined };
  assert.deepEqual(planCall([]), nothing);
  assert.deepEqual(planCall([active({ kind: "status", share: 0 })]), nothing);
  for (const kind of ["refuse", "health", "cpu"] as const) {
    assert.deepEqual(planCall([active({ kind })]), nothing);
  }
});

Deno.test("planCall() delays first and then ends: drop, hang, status", () => {
  const status = active({ kind: "status" });
  const hang = active({ kind: "hang" });
  const drop = active({ kind: "drop" });
  const delay = active({ kind: "delay", delayMs: 200 });
  assert.deepEqual(planCall([status, delay]), {
    delayMs: 200,
    end: status.fault,
  });
  assert.equal(planCall([status, hang]).end, hang.fault);
  assert.equal(planCall([status, hang, drop]).end, drop.fault);
});

Deno.test("planCall() chooses a share of calls that the seed repeats", () => {
  const ends = (seed: number) => {
    const faults = [active({ kind: "status", share: 0.3, seed })];
    return Array.from(
      { length: 2000 },
      () => planCall(faults).end !== undefined,
    );
  };
  const count = ends(5).filter(Boolean).length;
  assert.ok(Math.abs(count - 600) < 60, `${count} of 2000`);
  assert.deepEqual(ends(5), ends(5));
  assert.notDeepEqual(ends(5), ends(6));
});

Deno.test("planCall() spreads delays as their shape says", () => {
  const rows = [
    ["uniform", 0, 200],
    ["exponential", 0, 1000],
  ] as const;
  for (const [delayShape, minMs, maxMs] of rows) {
    const faults = [active({ kind: "delay", delayMs: 100, delayShape })];
    const delays = Array.from(
      { length: 5000 },
      () => planCall(faults).delayMs,
    );
    const mean = delays.reduce((sum, ms) => sum + ms, 0) / delays.length;
    assert.ok(Math.abs(mean - 100) < 5, `${delayShape} has the mean ${mean}`);
    assert.ok(Math.min(...delays) >= minMs && Math.max(...delays) <= maxMs);
  }
});
