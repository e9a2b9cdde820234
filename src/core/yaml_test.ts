import assert from "node:assert/strict";
import { at, excerptFrom, parseYaml, partAt } from "./yaml.ts";

for (
  const [what, text, reason] of [
    ["an empty text", "", "it is empty"],
    ["a comment alone", "# nothing\n", "it is empty"],
    ["null", "--- ~\n...\n", undefined],
    [
      "several documents",
      "a: 1\n---\na: 2\n",
      "it has several documents; only one is supported",
    ],
    [
      "a tab",
      "a:\n\tb: 1\n",
      "Tabs are not allowed as indentation at line 2, column 1",
    ],
    [
      "a mapping inside a mapping",
      "a: b: c",
      "Nested mappings are not allowed in compact mappings at line 1, column 4",
    ],
    [
      "a field that is given twice",
      "a: 1\na: 2",
      "Map keys must be unique at line 2, column 1",
    ],
    [
      "an alias without its anchor",
      "a: *b",
      '"*b" at line 1 has no anchor "&b" before it',
    ],
    [
      "an alias that would print control characters",
      "a: *\x1bb",
      '"*\\u{1b}b" at line 1 has no anchor "&\\u{1b}b" before it',
    ],
  ] as const
) {
  Deno.test(`parseYaml() ${reason === undefined ? "reads" : "refuses"} ${what}`, () => {
    if (reason === undefined) {
      assert.equal(parseYaml(text, "my.yaml"), null);
      return;
    }
    assert.throws(() => parseYaml(text, "my.yaml"), {
      name: "Failure",
      kind: "environment",
      message: `Cannot parse my.yaml: ${reason}; correct it there`,
    });
  });
}

Deno.test("parseYaml() takes aliases apart", () => {
  const both = partAt(parseYaml("a: &x { b: 1 }\nc: *x\n", "my.yaml"));
  partAt(both, "a")["b"] = 2;
  assert.deepEqual(both, { a: { b: 2 }, c: { b: 1 } });
});

Deno.test("at() goes by field, by place and by name", () => {
  const value = { list: [{ name: "x", a: 1 }, { name: "1", a: 2 }, null] };
  assert.equal(at(value, "list", "x", "a"), 1);
  assert.equal(at(value, "list", 0, "a"), 1);
  assert.equal(at(value, "list", "0", "a"), 1);
  assert.equal(at(value, "list", "1", "a"), 2);
  assert.equal(at(value, "list", 2), null);
  assert.equal(at(value, "list", "y", "a"), undefined);
  assert.equal(at(value, "list", 2, "a"), undefined);
  assert.equal(at(null, "list"), undefined);
});

Deno.test("partAt() says which path leads nowhere", () => {
  assert.throws(() => partAt({ a: { b: 1 } }, "a", "b"), {
    name: "TypeError",
    message: "Cannot find a.b",
  });
});

const JSON_TEXT = `{
  "a": [
    { "b": 1 }
  ],
  "c": { "d": 1 }
}
`;

for (
  const [what, text, [line, column], expected] of [
    [
      "the field, and the comment above it",
      "x: 1\n# why\na:\n  # inside\n\n  b: 1\n\n# of c\nc: 2\n",
      [3, 1],
      [2, "# why\na:\n  # inside\n\n  b: 1"],
    ],
    [
      "a list whose dashes are as far left as its key",
      "a:\n- 1\n- 2\nb: 3\n",
      [1, 1],
      [1, "a:\n- 1\n- 2"],
    ],
    [
      "the first field of an element of a list",
      "- a:\n    b: 1\n  c: 2\n- d: 3\n",
      [1, 3],
      [1, "- a:\n    b: 1"],
    ],
    [
      "a field inside of braces, with its line",
      "x: { a: 1, b: 2 }\n  \n",
      [1, 6],
      [1, "x: { a: 1, b: 2 }"],
    ],
    [
      "a field of JSON, with its closing bracket",
      JSON_TEXT,
      [2, 4],
      [2, '"a": [\n  { "b": 1 }\n],'],
    ],
    [
      "the start of an endless line",
      `a: ${"x".repeat(9999)}`,
      [1, 1],
      [1, `a: ${"x".repeat(397)} …`],
    ],
  ] as const
) {
  Deno.test(`excerptFrom() gives ${what}`, () => {
    const found = excerptFrom(text, { line, column });
    assert.deepEqual([found.line, found.text], expected);
  });
}
