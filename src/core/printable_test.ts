import assert from "node:assert/strict";
import { printable, printableDetails, printableName } from "./printable.ts";

for (
  const [what, text, expected] of [
    ["plain text", "server-1: no, 5 %", "server-1: no, 5 %"],
    [
      "letters of the world",
      "Zoë 東京 नमस्ते 😀 e\u0301",
      "Zoë 東京 नमस्ते 😀 e\u0301",
    ],
    ["a colour", "\x1b[31mred", "\\u{1b}[31mred"],
    ["the clipboard", "\x1b]52;c;aGk=\x07", "\\u{1b}]52;c;aGk=\\u{7}"],
    ["a forged line", "a\r\ncall 7", "a\\u{d}\\u{a}call 7"],
    ["a tab and a delete", "a\tb\x7f", "a\\u{9}b\\u{7f}"],
    ["a control of one byte", "\u009b2J", "\\u{9b}2J"],
    [
      "other line ends",
      "a\u2028b\u2029c\u0085",
      "a\\u{2028}b\\u{2029}c\\u{85}",
    ],
    ["a turned direction", "a\u202eb\u2066c", "a\\u{202e}b\\u{2066}c"],
    ["nothing to see", "a\u200bb\ufeffc", "a\\u{200b}b\\u{feff}c"],
    ["half an emoji", "a\ud83d", "a\\u{d83d}"],
    ["what is too long", "x".repeat(21), `${"x".repeat(20)}…`],
    [
      "an emoji at the cut",
      "x".repeat(19) + "😀y",
      "x".repeat(19) + "\\u{d83d}…",
    ],
  ] as const
) {
  Deno.test(`printable() takes the harm out of ${what}`, () => {
    assert.equal(printable(text, 20), expected);
  });
}

Deno.test("a stranger's name and details have a bound", () => {
  const text = "x".repeat(1_000_000);
  assert.equal(printableName(text).length, 101);
  assert.equal(printableDetails(text).length, 501);
});
