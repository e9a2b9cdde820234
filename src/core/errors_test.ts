import assert from "node:assert/strict";
import { EXIT_CODES, Failure, messageOf } from "./errors.ts";

Deno.test("Failure.from() returns a failure as it is", () => {
  const failure = new Failure("usage", "Cannot do it");
  assert.equal(Failure.from(failure), failure);
});

for (
  const [what, thrown, text] of [
    ["an error", Object.assign(new Error("no"), { stack: "at x" }), "at x"],
    ["an error without a stack", { __proto__: Error.prototype }, ""],
    ["a string", "no", "no"],
    ["undefined", undefined, "undefined"],
  ] as const
) {
  Deno.test(`Failure.from() makes a defect of ${what}`, () => {
    const failure = Failure.from(thrown);
    assert.equal(failure.kind, "internal");
    assert.equal(failure.cause, thrown);
    assert.equal(
      failure.message,
      `This is a defect of the program, please report it: ${text}`,
    );
  });
}

Deno.test("Failure has the exit code of its kind", () => {
  assert.deepEqual(
    (["failed", "usage", "environment", "internal", "interrupted"] as const)
      .map((kind) => new Failure(kind, "").exitCode),
    [1, 2, 3, 70, 130],
  );
  assert.equal(new Set(Object.values(EXIT_CODES)).size, 5);
});

Deno.test("messageOf() returns an error's message, or the text of a stranger", () => {
  assert.equal(messageOf(new Error("no")), "no");
  assert.equal(messageOf("no"), "no");
});
