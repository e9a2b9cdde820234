import assert from "node:assert/strict";
import { editDistance, nearest } from "./nearest.ts";

Deno.test("editDistance() counts changes, and a swap as one", () => {
  for (
    const [a, b, expected] of [
      ["", "", 0],
      ["rate", "rate", 0],
      ["rate", "", 4],
      ["DURATIN", "DURATION", 1],
      ["port", "prot", 1],
      ["RATE", "DATE", 1],
      ["kitten", "sitting", 3],
    ] as const
  ) {
    assert.equal(editDistance(a, b), expected, `${a}, ${b}`);
    assert.equal(editDistance(b, a), expected, `${b}, ${a}`);
  }
});

Deno.test("nearest() takes the fewest changes, then the same beginning", () => {
  const known = ["port", "label", "help"];
  assert.equal(nearest("prot", known), "port");
  assert.equal(nearest("lab", known), "label");
  assert.equal(nearest("p", known), "port");
  assert.equal(nearest("portnumber", known), "port");
  assert.equal(nearest("ab", ["l4"]), undefined);
  assert.equal(nearest("zzz", known), undefined);
  assert.equal(nearest("", known), undefined);
});
