import assert from "node:assert/strict";
import { at, type Fields, parseYaml, type Step } from "../core/yaml.ts";
import { ENVOY_YAML } from "../stack/envoy_config.ts";
import { editYaml } from "./edit_yaml.ts";

const TEXT = `# head
a:
  b: &x
    # about c
    c: 1 # why
    d: [1, two]
  # about f
  f: *x
  h: { i: 1, j: 2 }
  l:
    - name: n
      # about v
      v: 2
    # about m
    - name: m
  z: &scalar 9
y: *scalar
`;

function rows(
  ...list: readonly (readonly [
    what: string,
    path: readonly Step[],
    value: unknown,
    from: string,
    to: string,
  ])[]
) {
  return list;
}

for (
  const [what, path, value, from, to] of rows(
    [
      "sets a scalar and keeps its comment",
      ["a", "b", "c"],
      5,
      "c: 1 #",
      "c: 5 #",
    ],
    [
      "sets an element of a flow list",
      ["a", "b", "d", 1],
      "x,y",
      "two",
      '"x,y"',
    ],
    ["sets a string that has a comma", ["a", "b", "c"], "x,y", "1 #", "x,y #"],
    [
      "sets an element's field by the element's name",
      ["a", "l", "n", "v"],
      3,
      "v: 2",
      "v: 3",
    ],
    [
      "keeps the anchor of a scalar, so that aliases follow",
      ["a", "z"],
      { k: "1s" },
      "&scalar 9",
      "&scalar { k: 1s }",
    ],
    [
      "keeps the anchor of a block",
      ["a", "b"],
      {},
      "&x\n    # about c\n    c: 1 # why\n    d: [1, two]\n",
      "&x {}\n",
    ],
    [
      "puts a value in place of an alias",
      ["a", "f"],
      { c: 2 },
      "*x",
      "{ c: 2 }",
    ],
    [
      "adds a field to a block",
      ["a", "b", "e"],
      2,
      "two]\n",
      "two]\n    e: 2\n",
    ],
    [
      "adds a field to a list's element",
      ["a", "l", "m", "w"],
      [1],
      "name: m\n",
      "name: m\n      w: [ 1 ]\n",
    ],
    [
      "adds a field to a flow mapping",
      ["a", "h", "k"],
      3,
      "j: 2",
      "j: 2, k: 3",
    ],
    [
      "adds an element to a list",
      ["a", "l", 2],
      { name: "o", v: 1 },
      "name: m\n",
      "name: m\n    - name: o\n      v: 1\n",
    ],
    [
      "makes a block of what does not fit on a line",
      ["a", "f"],
      { one: "x".repeat(40), two: "y".repeat(40) },
      " *x\n",
      `\n    one: ${"x".repeat(40)}\n    two: ${"y".repeat(40)}\n`,
    ],
    [
      "removes a field and leaves the comment above",
      ["a", "b", "c"],
      undefined,
      "    c: 1 # why\n",
      "",
    ],
    [
      "removes the first field of a list's element",
      ["a", "l", 0, "name"],
      undefined,
      "name: n\n      # about",
      "# about",
    ],
    ["removes an element", ["a", "l", "m"], undefined, "    - name: m\n", ""],
    ["removes from a flow mapping", ["a", "h", "i"], undefined, "i: 1, ", ""],
    [
      "removes the last of a flow list",
      ["a", "b", "d", 1],
      undefined,
      ", two",
      "",
    ],
  )
) {
  Deno.test(`editYaml() ${what}, and nothing else`, () => {
    assert.ok(TEXT.includes(from));
    assert.equal(editYaml(TEXT, [{ path, value }]), TEXT.replace(from, to));
  });
}

for (
  const [what, path, value, message] of [
    ["sets what is there", ["a", "b", "c"], 1, /a\.b\.c: it changes nothing/],
    ["removes what is not there", ["a", "q"], undefined, /changes nothing/],
    ["sets below what is not there", ["a", "q", "r"], 1, /no such place/],
    ["sets below a scalar", ["a", "b", "c", "r"], 1, /no such place/],
    ["skips an index", ["a", "l", 3], {}, /no such place/],
    ["sets below an alias", ["a", "f", "c"], 2, /a\.f is "\*x", which another/],
    [
      "removes what an alias needs",
      ["a", "b"],
      undefined,
      /has no anchor "&x"/,
    ],
    ["empties a mapping", ["a", "l", "m", "name"], undefined, /nothing would/],
  ] as const
) {
  Deno.test(`editYaml() refuses an edit that ${what}`, () => {
    assert.throws(() => editYaml(TEXT, [{ path, value }]), {
      name: "Failure",
      message,
    });
  });
}

/** Every path of a value that edits may name. */
function pathsOf(
  value: unknown,
  path: readonly Step[] = [],
): readonly Step[][] {
  if (typeof value !== "object" || value === null) return [[...path]];
  return [
    [...path],
    ...Object.entries(value as Fields).flatMap(([key, inner]) =>
      pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key])
    ),
  ];
}

/** Each edit reads the whole file some times; a few hundred will do. */
const EVERY = 11;

Deno.test("editYaml() can set and remove places of envoy.yaml, and no other", () => {
  const before = parseYaml(ENVOY_YAML, "envoy.yaml");
  const paths = pathsOf(before).filter((_, index) => index % EVERY === 1);
  let made = 0;
  for (const path of paths) {
    for (const value of ["changed", undefined]) {
      let text: string;
      try {
        text = editYaml(ENVOY_YAML, [{ path, value }]);
      } catch (error) {
        assert.match(
          String(error),
          /another place defines|nothing would|no anchor/,
        );
        continue;
      }
      made += 1;
      // What is before and behind the place is as it was.
      const [old, now] = [ENVOY_YAML.split("\n"), text.split("\n")];
      const head = old.findIndex((line, at) => line !== now[at]);
      const size = JSON.stringify(at(before, ...path)).length;
      const removed = old.length - now.length;
      assert.ok(removed >= 0 && removed <= 2 + size, path.join("."));
      assert.deepEqual(
        now.slice(head + 1),
        old.slice(head + removed + 1),
        path.join("."),
      );
    }
  }
  assert.ok(made > 50, `${made} edits were possible`);
});
