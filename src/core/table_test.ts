import assert from "node:assert/strict";
import { tableLines } from "./table.ts";

for (
  const [why, head, rows, expected] of [
    [
      "aligns numbers to the right and words to the left",
      ["server", "calls"],
      [["a", "5"], ["server-10", "1000"]],
      ["server     calls", "a              5", "server-10   1000"],
    ],
    [
      "gives a title more room than its cells need",
      ["share of all", "x"],
      [["1.5 %", "y"]],
      ["share of all  x", "       1.5 %  y"],
    ],
    [
      "aligns a column with one word in it to the left",
      ["p50"],
      [["10"], ["none"]],
      ["p50", "10", "none"],
    ],
    [
      "aligns sentences to the left, though they begin with a number",
      ["measured"],
      [["0 of 100 lost"], ["p50"]],
      ["measured", "0 of 100 lost", "p50"],
    ],
    [
      "aligns a number with its unit, and a dash for none",
      ["latency"],
      [["12.5 ms"], ["-"]],
      ["latency", "12.5 ms", "      -"],
    ],
    [
      "aligns bounds and signs like numbers, beside an empty cell",
      ["asked", "off"],
      [["<= 1.00 %", "+0.10 %"], ["3", ""]],
      ["    asked      off", "<= 1.00 %  +0.10 %", "        3"],
    ],
    ["prints a head without rows", ["a", "b"], [], ["a  b"]],
    ["leaves a missing cell empty", ["a", "b"], [["x"]], ["a  b", "x"]],
  ] as const
) {
  Deno.test(`tableLines() ${why}`, () => {
    assert.deepEqual(tableLines(head, rows), expected);
  });
}
