import assert from "node:assert/strict";
import { secondsOfPs, secondsOfStat } from "./k6.ts";

Deno.test("secondsOfStat() adds user and system time", () => {
  const stat = "42 (k6 (a b)) S 1 42 42 0 -1 4194560 9 0 0 0 250 50 0 0 20 0";
  assert.equal(secondsOfStat(stat), 3);
});

Deno.test("secondsOfPs() reads minutes and hours", () => {
  assert.equal(secondsOfPs(" 1:02.50\n"), 62.5);
  assert.equal(secondsOfPs("01:01:02"), 3662);
});
