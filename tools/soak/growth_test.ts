import assert from "node:assert/strict";
import { growth, type MemorySample, slope } from "./growth.ts";

/** A sample every 5 s. */
function samples(
  minutes: number,
  mibAt: (minute: number) => number,
): readonly MemorySample[] {
  return Array.from({ length: minutes * 12 + 1 }, (_, at) => ({
    atS: at * 5,
    mib: mibAt(at / 12),
  }));
}

Deno.test("slope() is a line's own, and no peak moves it", () => {
  const line = samples(10, (minute) => 50 + 2 * minute);
  assert.equal(slope(line)?.toFixed(6), "2.000000");
  const peaked = line.map((one, at) =>
    at % 7 === 0 ? { ...one, mib: 90 } : one
  );
  assert.ok(Math.abs((slope(peaked) ?? 0) - 2) < 0.3, `${slope(peaked)}`);
  assert.equal(slope([{ atS: 0, mib: 1 }]), undefined);
});

Deno.test("growth() judges what comes after the first third", () => {
  const rows: readonly (readonly [string, number, (m: number) => number])[] = [
    ["held", 30, () => 100],
    ["held", 30, (minute) => 100 + 0.9 * minute],
    ["broken", 30, (minute) => 100 + 1.1 * minute],
    ["held", 30, (minute) => 100 + 20 * Math.min(minute, 9)],
    ["unknown", 2, (minute) => 100 + 50 * minute],
  ];
  for (const [verdict, minutes, mibAt] of rows) {
    assert.equal(growth(samples(minutes, mibAt)).verdict, verdict, `${mibAt}`);
  }
  assert.equal(growth([]).verdict, "unknown");
  assert.equal(growth(samples(2, (minute) => minute)).mibMax, 2);
});
