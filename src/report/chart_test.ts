import assert from "node:assert/strict";
import { COLOURS, drawing, highest, sketch, ticksOf } from "./chart.ts";

const CHART = {
  title: "t",
  shape: "areas",
  lines: { a: [1, 1, null], b: [1, 3, null] },
  colour: COLOURS.server,
  seconds: [0.5, 1.5, 2.5],
  marks: [],
  endS: 4,
  max: 4,
} as const;

Deno.test("ticksOf() has round steps, at most five", () => {
  const rows: readonly (readonly [number, readonly number[]])[] = [
    [324, [0, 100, 200, 300]],
    [3.24, [0, 1, 2, 3]],
    [1, [0, 0.25, 0.5, 0.75, 1]],
    [0.8, [0, 0.2, 0.4, 0.6, 0.8]],
    [6, [0, 2, 4, 6]],
  ];
  for (const [max, ticks] of rows) assert.deepEqual(ticksOf(max), ticks);
});

Deno.test("highest() is of sums where areas stand upon each other", () => {
  assert.equal(highest(CHART), 4);
  assert.equal(highest({ ...CHART, shape: "curves" }), 3);
  assert.equal(highest({ ...CHART, lines: {} }), 0);
});

Deno.test("sketch() stacks areas, and ends them upright where nothing is known", () => {
  const paths = [...sketch(CHART).html.matchAll(/ d="([^"]*)"/g)]
    .map(([, path]) => path);
  assert.deepEqual(paths, [
    "M0 750L125 750L375 750L500 750L500 1000L375 1000L125 1000L0 1000Z",
    "M0 500L125 500L375 0L500 0L500 750L375 750L125 750L0 750Z",
  ]);
});

Deno.test("drawing() marks events, those close to each other below each other", () => {
  const at = (fromS: number) => ({ label: "x", fromS, toS: fromS });
  const { html } = drawing({ ...CHART, marks: [at(1), at(1.01), at(3)] });
  const found = [
    ...html.matchAll(/<b style="left: (.*?)%; top: (.*?)rem">(\d)/g),
  ]
    .map(([, left, top, number]) => [left, top, number]);
  assert.deepEqual(found, [
    ["25.00", "0", "1"],
    ["25.25", "1.1", "2"],
    ["75.00", "0", "3"],
  ]);
});

Deno.test("COLOURS make no CSS of a record's names, and no red of a control", () => {
  const hostile = "p50); background: red; x: (";
  assert.equal(COLOURS.latency(hostile), "var(--edge)");
  assert.equal(COLOURS.server(hostile), "var(--server-1)");
  assert.match(COLOURS.failed(false)("lost: INTERNAL", 0), /wrong-1/);
  assert.doesNotMatch(COLOURS.failed(true)("lost: INTERNAL", 0), /wrong/);
  assert.doesNotMatch(COLOURS.failed(false)("as meant: INTERNAL", 0), /wrong/);
});
