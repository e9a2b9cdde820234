import assert from "node:assert/strict";
import { seededRandom } from "./random.ts";

function take(seed: number, count: number): readonly number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
}

Deno.test("seededRandom() repeats its numbers for the same seed only", () => {
  assert.deepEqual(take(7, 5), take(7, 5));
  assert.notDeepEqual(take(7, 5), take(8, 5));
});

Deno.test("seededRandom() fills 0 to 1 evenly", () => {
  const numbers = take(1, 10_000);
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  for (const tenth of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
    const count = numbers.filter((n) => Math.floor(n * 10) === tenth).length;
    assert.ok(Math.abs(count - 1000) < 120, `${tenth}: ${count}`);
  }
});
