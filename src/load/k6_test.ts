import assert from "node:assert/strict";
import { complaintsOf, secondsOfPs } from "./k6.ts";

Deno.test("secondsOfPs() reads minutes and hours", () => {
  assert.equal(secondsOfPs(" 1:02.50\n"), 62.5);
  assert.equal(secondsOfPs("01:01:02"), 3662);
});

Deno.test("complaintsOf() leaves what the report does not say", () => {
  const log = [
    '{"level":"error","msg":"thresholds on metrics \'a, b\' have been crossed"}',
    '{"level":"error","msg":"test aborted: Nothing to test at [::1]:1"}',
    '{"level":"warning","msg":"odd\\u001b[2J"}',
    '{"level":"warning","msg":"Insufficient VUs, reached 1 active VUs"}',
    "panic: no JSON",
    "",
  ].join("\n");
  assert.equal(
    complaintsOf(log),
    "Nothing to test at [::1]:1\nodd\\u{1b}[2J\npanic: no JSON\n",
  );
});
