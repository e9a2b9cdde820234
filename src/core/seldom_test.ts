import assert from "node:assert/strict";
import { seldom } from "./seldom.ts";

Deno.test("seldom() hands on a line a second, and says for how many", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const log = seldom((line) => lines.push(line), () => nowMs);
  log("a");
  log("b");
  nowMs = 999;
  log("c");
  nowMs = 1000;
  log("d");
  nowMs = 5000;
  log("e");
  assert.deepEqual(lines, ["a", "d (3 times)", "e"]);
});
