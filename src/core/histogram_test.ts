import assert from "node:assert/strict";
import { Histogram } from "./histogram.ts";

/** A seeded generator of numbers from 0 to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The value at `percent` of sorted values, by nearest rank. */
function exactPercentile(sorted: readonly number[], percent: number): number {
  const rank = Math.ceil(sorted.length * percent / 100);
  return sorted[rank - 1] ?? NaN;
}

const SHAPES: readonly (readonly [
  string,
  (random: () => number) => number,
])[] = [
  ["evenly spread calls", (random) => 1 + random() * 99],
  ["a long tail", (random) => 2 / (1 - random())],
  ["two speeds", (random) => random() < 0.9 ? 1 + random() : 300 + random()],
];

for (const [shape, draw] of SHAPES) {
  for (const count of [1, 7, 1000]) {
    Deno.test(`Histogram is exact to 1 % for ${count} of ${shape}`, () => {
      const random = createRandom(count);
      const samples = Array.from({ length: count }, () => draw(random));
      const histogram = new Histogram();
      for (const sample of samples) histogram.add(sample);
      const sorted = samples.toSorted((a, b) => a - b);
      for (const percent of [0.1, 1, 10, 50, 90, 95, 99, 99.9, 100]) {
        const exact = exactPercentile(sorted, percent);
        const found = histogram.percentileMs(percent) ?? NaN;
        const error = Math.abs(found - exact) / exact;
        assert.ok(
          error <= 0.01 + 1e-9,
          `p${percent} is ${found}, not ${exact}`,
        );
      }
    });
  }
}

Deno.test("Histogram knows its count and its exact maximum", () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentileMs(50), undefined);
  assert.equal(histogram.maxMs, 0);
  for (const durationMs of [3.3, 12.34, 0]) histogram.add(durationMs);
  assert.equal(histogram.count, 3);
  assert.equal(histogram.maxMs, 12.34);
  assert.equal(histogram.percentileMs(100), 12.34);
});

Deno.test("Histogram.addAll() is as if all had been added to one", () => {
  const [all, one, other] = [new Histogram(), new Histogram(), new Histogram()];
  for (const durationMs of [1, 2, 2, 700, 3]) all.add(durationMs);
  for (const durationMs of [1, 2, 700]) one.add(durationMs);
  for (const durationMs of [2, 3]) other.add(durationMs);
  one.addAll(other);
  assert.deepEqual([one.count, one.maxMs], [5, 700]);
  for (const percent of [20, 50, 80, 100]) {
    assert.equal(one.percentileMs(percent), all.percentileMs(percent));
  }
  assert.equal(other.count, 2);
});

Deno.test("Histogram never says more than its maximum", () => {
  const histogram = new Histogram();
  histogram.add(0);
  assert.equal(histogram.percentileMs(50), 0);
});
