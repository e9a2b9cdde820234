import assert from "node:assert/strict";
import { printable } from "./printable.js";

Deno.test("printable() of k6 leaves nothing that moves a cursor", () => {
  const rows = [
    ["server-1", "server-1"],
    ["a\x1b[2Jb\nc\u009bd", "a?[2Jb?c?d"],
    ["é", "?"],
    ["x".repeat(201), "x".repeat(200)],
  ] as const;
  for (const [text, expected] of rows) {
    assert.equal(printable(text), expected);
  }
});
