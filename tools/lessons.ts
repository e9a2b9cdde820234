/** Proves lessons: see src/lesson/proof.ts; or types their steps in a kit. */
import { LESSONS } from "../workshop/lessons/catalogue.ts";
import { EXIT_CODES, Failure } from "../src/core/errors.ts";
import {
  type FlagRows,
  helpText,
  parseFlags,
  words,
} from "../src/core/flags.ts";
import { killAllChildren } from "../src/io/child.ts";
import { typedPath } from "../src/io/files.ts";
import { lastLine, type RunResult, runToEnd } from "../src/io/processes.ts";
import { listenForStop, runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { nativeStacks } from "../src/experiment/stacks.ts";
import type { Lesson } from "../src/lesson/lesson.ts";
import { proveLesson, type Step } from "../src/lesson/proof.ts";

const FLAGS = {
  kit: {
    name: "kit",
    placeholder: "DIR",
    help: "Type start, check, solve and check in this unpacked kit instead",
    default: "",
    parse: (text: string) => typedPath(words(4096)(text)),
  },
} as const satisfies FlagRows;

/** A check takes 12 s; a busy machine needs longer. */
const CHECK_LIMIT_MS = 120_000;

/** How often a command is typed, if the machine was busy or it came out wrong. */
const TRIES_MAX = 3;

const ABOUT = `Proves every lesson, or those named by number or name: its file \
is wrong at the start and
right once it is solved, and each common mistake gets its own sentence.`;

/** The lessons named. @throws {Failure} `usage` */
function chosen(words: readonly string[]): readonly Lesson[] {
  if (words.length === 0) return LESSONS;
  return words.map((word) => {
    const found = LESSONS.find(({ number, name }) =>
      name === word || String(number) === word
    );
    if (found !== undefined) return found;
    throw new Failure("usage", `There is no lesson "${word}"`);
  });
}

async function run(): Promise<number> {
  const { values, positionals, help } = parseFlags(FLAGS, Deno.args, {
    positionalsMax: Infinity,
  });
  if (help) {
    print(helpText("lessons [NN...] [flags]", ABOUT, FLAGS));
    return 0;
  }
  const lessons = chosen(positionals);
  const { signal } = listenForStop(killAllChildren);
  const stacks = await nativeStacks(print, signal);
  const startMs = performance.now();
  let steps = 0;
  let failed = 0;
  let repeated = 0;
  for (const lesson of lessons) {
    print(`${lesson.number}. ${lesson.title}`);
    const folder = await Deno.makeTempDir({ prefix: "lesson-" });
    try {
      const proof = values.kit === ""
        ? proveLesson(lesson, folder, { stacks, signal })
        : typeLesson(lesson, values.kit, signal);
      for await (const step of proof) {
        const { what, problem, sentence, tries, tookMs } = step;
        steps += 1;
        if (tries > 1) repeated += 1;
        if (problem !== undefined) failed += 1;
        const words = problem === undefined ? "ok" : `FAILED: ${problem}`;
        const times = tries > 1 ? `, ${tries} tries` : "";
        print(`  ${what} ... ${words} (${seconds(tookMs)}${times})`);
        print(`    ${sentence}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  const took = seconds(performance.now() - startMs);
  print(
    `${steps - failed} of ${steps} steps held, in ${took}; ` +
      `${repeated} took more than one try`,
  );
  return failed === 0 && steps > 0 ? 0 : EXIT_CODES.failed;
}

/** The steps of a lesson, as a learner types them. */
async function* typeLesson(
  { name }: Lesson,
  kit: string,
  signal: AbortSignal,
): AsyncGenerator<Step> {
  const type = (...words: readonly string[]): Promise<RunResult> =>
    runToEnd(`${kit}/demo`, ["lesson", ...words], {
      cwd: kit,
      signal,
      timeoutMs: CHECK_LIMIT_MS,
    });
  const typed = async (
    what: string,
    code: number,
    ...words: readonly string[]
  ): Promise<Step> => {
    const startMs = performance.now();
    for (let tries = 1;; tries += 1) {
      const result = await type(...words);
      const problem = result.code !== code
        ? `exit code ${result.code}`
        : /\.\/denow|grpc-lab/.test(result.stdout)
        ? "it names commands that a kit does not have"
        : undefined;
      if (problem !== undefined && tries < TRIES_MAX) continue;
      const tookMs = performance.now() - startMs;
      return { what, problem, sentence: lastLine(result), tries, tookMs };
    }
  };
  yield await typed("start", 0, "start", name);
  yield await typed("check must fail", EXIT_CODES.failed, "check");
  yield await typed("solve", 0, "solve");
  yield await typed("check must hold", 0, "check");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

if (import.meta.main) await runProgram("lessons", run);
