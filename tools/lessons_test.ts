import assert from "node:assert/strict";
import type { Step } from "../src/lesson/proof.ts";
import { summaryOf } from "./lessons.ts";

const STEP: Step = {
  what: "check must hold",
  problem: undefined,
  sentence: "Solved",
  tries: 1,
  tookMs: 9000,
};

Deno.test("summaryOf() tells how many steps held, and in which time", () => {
  const steps = [STEP, { ...STEP, tries: 2 }];
  assert.deepEqual(summaryOf(steps, 90_000, 1.5), {
    lines: ["2 of 2 steps held, in 1.5 minutes; 1 took more than one try"],
    isHeld: true,
  });
});

Deno.test("summaryOf(): a step that failed, or none at all, is not enough", () => {
  const failed = { ...STEP, problem: "it is solved" };
  assert.equal(summaryOf([STEP, failed], 9000, 15).isHeld, false);
  assert.equal(summaryOf([], 0, 15).isHeld, false);
});

Deno.test("summaryOf(): everything together has a limit", () => {
  const { lines, isHeld } = summaryOf([STEP], 901_000, 15);
  assert.equal(isHeld, false);
  assert.match(lines.join("\n"), /\nFAILED: they may take 15 minutes; /);
});
