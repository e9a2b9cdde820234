import assert from "node:assert/strict";
import { asTyped, textLines } from "./text.ts";

const TEXT = `## Question

Who gets the calls when **two** of three
servers say \`NOT_SERVING\`? See [the manual](https://example.org/x).

- one, which is longer than the width of this terminal and goes on
- two

1. first

\`\`\`sh
./demo up --config my/05-panic/envoy.yaml # a line that is longer than the width

  # indented
\`\`\`

The end.
`;

Deno.test("textLines() wraps words and leaves fenced blocks alone", () => {
  assert.deepEqual(textLines(TEXT, 40), [
    "Question",
    "--------",
    "",
    "Who gets the calls when two of three",
    "servers say `NOT_SERVING`? See the",
    "manual (https://example.org/x).",
    "",
    "- one, which is longer than the width of",
    "  this terminal and goes on",
    "- two",
    "1. first",
    "",
    "    ./demo up --config my/05-panic/envoy.yaml # a line that is longer than the width",
    "",
    "      # indented",
    "",
    "The end.",
  ]);
});

Deno.test("textLines() keeps what is not closed", () => {
  assert.deepEqual(textLines("a `b **c\n```sh\nx", 80), [
    "a `b **c",
    "",
    "    x",
  ]);
});

Deno.test("asTyped() gives the commands as they are typed here", () => {
  const text = "`./demo up`, ./demo lesson check; ./demos and ./demo. stay";
  assert.equal(asTyped(text, "./demo"), text);
  assert.equal(
    asTyped(text, "./denow task"),
    "`./denow task up`, ./denow task lesson check; ./demos and ./demo. stay",
  );
});
