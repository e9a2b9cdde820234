/** The command `lesson`: lessons that a learner's file of envoy.yaml solves. */
import { EXIT_CODES, Failure } from "../core/errors.ts";
import { UNKNOWN_EXIT_CODE } from "../core/load/verdict.ts";
import { type FlagRows, helpText, parseFlags } from "../core/flags.ts";
import { tableLines } from "../core/table.ts";
import { killAllChildren } from "../io/child.ts";
import { listenForStop } from "../io/program.ts";
import { columns, print } from "../io/terminal.ts";
import { nativeStacks } from "../experiment/stacks.ts";
import {
  Course,
  type Done,
  type LessonState,
  readableText,
} from "../lesson/course.ts";
import { commandWords } from "../io/build.ts";
import { asTyped, textLines } from "../lesson/text.ts";
import type { Lesson } from "../lesson/lesson.ts";
import { findingLine, progressLine } from "../report/terminal.ts";

const FLAGS = {} as const satisfies FlagRows;

const ABOUT = `Lessons about envoy.yaml. Each has a copy of it in my/, which \
is yours to change; "check" measures
whether it is right, and says what is still wrong.
  lesson list       list all lessons, and how far you are
  lesson start NN   start a lesson, by its number or name, or go on with it
  lesson show       show the text of the current lesson again
  lesson hint       show the next of three hints
  lesson check      measure, and judge
  lesson solve      apply the solution; your file is kept beside it
  lesson reset      begin anew; your file is kept beside it
  lesson next       start the next lesson
Exit code 0: done, or solved; ${EXIT_CODES.failed}: not solved yet; \
${EXIT_CODES.usage}: the command line is wrong;
${EXIT_CODES.environment}: the file cannot be used, or something is missing; \
${UNKNOWN_EXIT_CODE}: the machine was too busy to tell.`;

const USAGE =
  "lesson list | start NN | show | hint | check | solve | reset | next";

/** Longer lines are hard to read. */
const COLUMNS_MAX = 80;

/** The exit code of each outcome of a check. */
const EXITS = {
  solved: 0,
  wrong: EXIT_CODES.failed,
  unclear: UNKNOWN_EXIT_CODE,
} as const;

/**
 * Runs the command.
 *
 * @param lessons All lessons, in order.
 * @param argv The arguments after "lesson".
 * @returns The exit code.
 * @throws {Failure} When the command line is wrong, a file cannot be read,
 * used or written, or a stack cannot start.
 */
export async function lessonCommand(
  lessons: readonly Lesson[],
  argv: readonly string[],
): Promise<number> {
  const { positionals, help } = parseFlags(FLAGS, argv, { positionalsMax: 2 });
  if (help) {
    print(helpText(USAGE, ABOUT, FLAGS));
    return 0;
  }
  const [verb = "", word] = positionals;
  const course = new Course(lessons, { onNote: print });
  if ((verb === "start") !== (word !== undefined)) {
    throw new Failure(
      "usage",
      verb === "start"
        ? "lesson start needs a number or a name: " +
          `${commandWords()} lesson start 1`
        : `"${word}" is not understood after "lesson ${verb}"`,
    );
  }
  switch (verb) {
    case "list":
      listLines(await course.list()).forEach(print);
      return 0;
    case "start":
      return await showLesson(course, await course.start(word ?? ""));
    case "next":
      return await showLesson(course, await course.next());
    case "show":
      return await showLesson(course);
    case "hint":
      return say(await course.hint());
    case "solve":
      return say(await course.solve());
    case "reset":
      return say(await course.reset());
    case "check":
      return await check(course);
    default:
      throw new Failure(
        "usage",
        `lesson needs one of list, start NN, show, hint, check, solve, ` +
          `reset, next: "${verb}"`,
      );
  }
}

function say({ sentence }: Done): number {
  print(asTyped(sentence, commandWords()));
  return 0;
}

/** The text of the current lesson, and what was done. */
async function showLesson(course: Course, done?: Done): Promise<number> {
  const state = await course.current();
  const { number, title } = state.lesson;
  const text = asTyped(readableText(state), commandWords());
  print(`Lesson ${number}: ${title}`);
  print("");
  textLines(text, Math.min(columns(), COLUMNS_MAX)).forEach(print);
  print("");
  print(done?.sentence ?? `Your copy of envoy.yaml is ${state.file}`);
  return 0;
}

/** How far a learner is, in a word or two. */
function stateWords(state: LessonState): string {
  const { isSolved, isShown, isStarted } = state;
  if (isSolved) return isShown ? "solved, after a look" : "solved";
  return isStarted ? "started" : "";
}

function listLines(states: readonly LessonState[]): readonly string[] {
  return tableLines(
    ["", "lesson", "minutes", "state", "question"],
    states.map((state) => [
      `${state.isCurrent ? ">" : " "} ${state.lesson.number}`,
      state.lesson.name,
      String(state.lesson.minutes),
      stateWords(state),
      state.lesson.title,
    ]),
  );
}

async function check(course: Course): Promise<number> {
  const stop = listenForStop(killAllChildren);
  const outcome = await course.check(async ({ number, check }) => {
    const seconds = Math.ceil(check.load.durationMs / 1000);
    print(`Lesson ${number}: checking your copy; measuring takes ${seconds} s`);
    return {
      stacks: await nativeStacks(print, stop.signal),
      signal: stop.signal,
      onProgress: (progress) => print(progressLine(progress)),
    };
  });
  outcome.findings.map(findingLine).forEach(print);
  print(outcome.sentence);
  if (outcome.verdict === "solved") {
    print(
      outcome.lesson.isIncident
        ? `\`${commandWords()} lesson show\` now says what it was`
        : `\`${commandWords()} lesson next\` starts the next lesson`,
    );
  }
  return EXITS[outcome.verdict];
}
