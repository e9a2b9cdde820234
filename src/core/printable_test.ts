import assert from "node:assert/strict";
import { printable } from "./printable.ts";

for (
  const [why, text, expected] of [
    ["leaves text alone", "über\t3 → 🙂 日本", "über\t3 → 🙂 日本"],
    ["escapes a colour", "\x1b[31mred", "\\x1b[31mred"],
    ["escapes an OSC sequence", "\x1b]0;title\x07", "\\x1b]0;title\\x07"],
    ["escapes the end of a line", "a\nup | b\rc", "a\\x0aup | b\\x0dc"],
    ["escapes NUL, DEL and C1", "\0\x7f\x9b31m", "\\x00\\x7f\\x9b31m"],
    [
      "escapes what turns the direction",
      "\u202ecba\u2066",
      "\\u202ecba\\u2066",
    ],
    ["escapes line separators", "a\u2028b", "a\\u2028b"],
  ] as const
) {
  Deno.test(`printable() ${why}`, () => {
    assert.equal(printable(text), expected);
  });
}
