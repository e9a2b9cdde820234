import assert from "node:assert/strict";
import { statOf } from "./process_stat.ts";

Deno.test("statOf() reads a name with any character", () => {
  const rest = "S 7 42 42 0 -1 0 0 0 0 0 10 20 3 4 20 0 1 0 5678 9";
  assert.deepEqual(statOf(`42 (a) b (c) ${rest}`), {
    pid: 42,
    name: "a) b (c",
    state: "S",
    parent: 7,
    ownTicks: 30,
    ticks: 37,
    startTicks: 5678,
  });
});

Deno.test("statOf() is undefined for what is no such line", () => {
  assert.equal(statOf(""), undefined);
});
