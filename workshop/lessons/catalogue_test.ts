import assert from "node:assert/strict";
import { parseEnvoyConfig } from "../../src/stack/envoy_config.ts";
import { solvedText, startText } from "../../src/lesson/course.ts";
import { editYaml } from "../../src/lesson/edit_yaml.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { LESSONS } from "./catalogue.ts";

const HEADINGS = [
  "Question",
  "Predict",
  "Do it",
  "What was seen",
  "Change one line",
  "See the difference",
  "Why",
  "In production",
];

/** The first mistake that a file is recognized to have. */
function mistakeIn({ mistakes }: Lesson, text: string): string | undefined {
  const config = parseEnvoyConfig(text, "a learner's file");
  return mistakes.find(({ isIn }) => isIn(config))?.name;
}

for (const lesson of LESSONS) {
  const { name, mistakes, text, title, hints, isIncident = false } = lesson;

  Deno.test(`${name}: each mistake is recognized in its own file`, () => {
    assert.ok(mistakes.length >= 2);
    const start = startText(lesson);
    assert.deepEqual(
      mistakes.map(({ edits }) => mistakeIn(lesson, editYaml(start, edits))),
      mistakes.map((mistake) => mistake.name),
    );
  });

  Deno.test(`${name}: the files at the start and at the end have none`, () => {
    assert.equal(mistakeIn(lesson, startText(lesson)), undefined);
    assert.equal(mistakeIn(lesson, solvedText(lesson)), undefined);
  });

  Deno.test(`${name}: its text has its parts in order`, () => {
    const found = text.split("\n").filter((line) => line.startsWith("## "));
    if (isIncident) assert.equal(found[0], "## Question");
    else assert.deepEqual(found, HEADINGS.map((one) => `## ${one}`));
  });

  Deno.test(`${name}: sentences are sentences without a full stop`, () => {
    const { claims } = lesson.check;
    const sentences = [
      ...mistakes.map(({ sentence }) => sentence),
      ...claims.map(({ stillWrong }) => stillWrong),
    ];
    for (const one of sentences) assert.match(one, /^["\w].*[^.!?:]$/s);
    assert.equal(new Set(sentences).size, sentences.length);
    for (const hint of hints) assert.match(hint, /[.?]$/);
    assert.match(title, /\?$/);
  });
}

Deno.test("numbers count from 1, and names are unique", () => {
  const numbers = LESSONS.map(({ number }) => number);
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  assert.equal(new Set(LESSONS.map(({ name }) => name)).size, numbers.length);
});
