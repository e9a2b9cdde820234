import assert from "node:assert/strict";
import { binaryName, namesOf } from "./targets.ts";

const parse = namesOf(["one", "two", "three"]);

for (
  const [text, names] of [
    ["all", ["one", "two", "three"]],
    ["two", ["two"]],
    ["three,one", ["one", "three"]],
  ] as const
) {
  Deno.test(`namesOf() understands "${text}"`, () => {
    assert.deepEqual(parse(text), names);
  });
}

for (const text of ["", "four", "one,four", "one,one", "one, two", "all,one"]) {
  Deno.test(`namesOf() refuses "${text}"`, () => {
    assert.throws(() => parse(text), {
      name: "RangeError",
      message: "must be all, or a comma-separated list of one, two, three",
    });
  });
}

Deno.test("binaryName() ends in .exe for Windows only", () => {
  assert.equal(binaryName("lab", "x86_64-pc-windows-msvc"), "grpc-lab.exe");
  assert.equal(binaryName("lab", "x86_64-apple-darwin"), "grpc-lab");
});
