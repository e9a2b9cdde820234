/**
 * The proof of a lesson: its file is wrong at the start and right once it is
 * solved, and each common mistake gets its own sentence.
 */
import { Course, startText } from "./course.ts";
import { editYaml } from "./edit_yaml.ts";
import { judgeFile, type JudgeOptions, type Outcome } from "./judge.ts";
import type { Lesson } from "./lesson.ts";

/** On a busy machine, a check is made as often as this. */
const TRIES_MAX = 6;

/**
 * How often a step may come out wrong: a machine can be disturbed in ways that
 * the bench does not see. Whoever runs proofs is told how many tries it took.
 */
const WRONG_MAX = 2;

/** One step of a proof. */
export interface Step {
  /** For example "solved". */
  readonly what: string;
  /** What is wrong with the lesson; undefined if nothing is. */
  readonly problem: string | undefined;
  /** What a learner reads. */
  readonly sentence: string;
  readonly tries: number;
  readonly tookMs: number;
}

type Judging = Omit<JudgeOptions, "name">;

/**
 * Proves a lesson, step by step, as a learner would go through it.
 *
 * @param folder Has no learner's files yet.
 * @param options How files are judged.
 */
export async function* proveLesson(
  lesson: Lesson,
  folder: string,
  options: Judging,
): AsyncGenerator<Step> {
  const course = new Course([lesson], { folder });
  const check = () => course.check(() => Promise.resolve(options));
  await course.start(lesson.name);
  yield await step(
    "start: check must fail",
    check,
    (outcome) =>
      outcome.verdict === "wrong"
        ? isOwn(lesson, outcome)
          ? undefined
          : "this sentence is not the lesson's"
        : `it is ${outcome.verdict}`,
  );
  await course.solve();
  yield await step(
    "solve: check must hold",
    check,
    (outcome) =>
      outcome.verdict === "solved" ? undefined : `it is ${outcome.verdict}`,
  );
  for (const { name, edits, sentence } of lesson.mistakes) {
    const text = editYaml(startText(lesson), edits);
    yield await step(
      `mistake: ${name}`,
      () => judgeFile(lesson, text, { ...options, name }),
      (outcome) =>
        outcome.verdict === "wrong" && outcome.sentence === sentence
          ? undefined
          : `it is ${outcome.verdict}, not "${sentence}"`,
    );
  }
}

/** Whether the lesson's author wrote the sentence. */
function isOwn({ check, mistakes }: Lesson, { sentence }: Outcome): boolean {
  return mistakes.some((one) => one.sentence === sentence) ||
    check.claims.some(({ stillWrong }) => sentence.startsWith(stillWrong));
}

async function step(
  what: string,
  judge: () => Promise<Outcome>,
  problemOf: (outcome: Outcome) => string | undefined,
): Promise<Step> {
  const startMs = performance.now();
  let wrong = 0;
  for (let tries = 1;; tries += 1) {
    const outcome = await judge();
    const problem = problemOf(outcome);
    if (problem !== undefined && outcome.verdict !== "unclear") wrong += 1;
    if (problem === undefined || tries === TRIES_MAX || wrong === WRONG_MAX) {
      const tookMs = performance.now() - startMs;
      return { what, problem, sentence: outcome.sentence, tries, tookMs };
    }
  }
}
