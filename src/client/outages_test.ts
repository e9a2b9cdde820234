import assert from "node:assert/strict";
import type { Outcome } from "../core/caller.ts";
import { Outages } from "./outages.ts";

const REPLY: Outcome = { kind: "reply", server: "a", number: 1 };
const failure = (code: string): Outcome => ({
  kind: "error",
  code,
  details: "no",
});

/** What is said after each of these calls; one ends each second. */
function news(outcomes: readonly Outcome[]): (string | undefined)[] {
  let nowMs = 0;
  const outages = new Outages(() => nowMs);
  return outcomes.map((outcome, index) => {
    nowMs = (index + 1) * 1000;
    return outages.afterCall({ ...outcome, call: index + 1, latencyMs: 200 });
  });
}

Deno.test("Outages speaks once when calls fail and once when they succeed", () => {
  const down = "unavailable; the client keeps calling";
  const error = failure("UNAVAILABLE");
  assert.deepEqual(news([REPLY, error, error, REPLY, REPLY, error]), [
    undefined,
    down,
    undefined,
    // The first failed call started at 1.8 s; the answer came at 4 s.
    "calls succeed again after 2.2 s",
    undefined,
    down,
  ]);
});

for (
  const [code, sentence] of [
    ["UNAVAILABLE", "unavailable"],
    ["DEADLINE_EXCEEDED", "no answer in time"],
    ["INTERNAL", "calls end with INTERNAL"],
    ["UNIMPLEMENTED", "calls end with UNIMPLEMENTED"],
    ["CANCELLED", "calls end with CANCELLED"],
    ["CODE_99", "calls end with CODE_99"],
  ] as const
) {
  Deno.test(`Outages says of ${code} what is true of it`, () => {
    assert.deepEqual(news([failure(code)]), [
      `${sentence}; the client keeps calling`,
    ]);
  });
}

Deno.test("Outages tells each status of an outage once, and a few only", () => {
  const many = Array.from(
    { length: 40 },
    (_, index) => failure(`CODE_${index % 20}`),
  );
  assert.equal(news(many).filter((line) => line !== undefined).length, 5);
});
