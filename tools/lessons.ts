/** Proves lessons: see src/lesson/proof.ts; or types their steps in a kit. */
import { LESSONS } from "../workshop/lessons/catalogue.ts";
import { EXIT_CODES, Failure } from "../src/core/errors.ts";
import {
  type FlagRows,
  helpText,
  parseFlags,
  positiveNumber,
} from "../src/core/flags.ts";
import { killAllChildren } from "../src/io/child.ts";
import { filePath } from "../src/io/files.ts";
import { lastLine, type RunResult, runToEnd } from "../src/io/processes.ts";
import { listenForStop, runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { nativeStacks } from "../src/experiment/stacks.ts";
import type { Lesson } from "../src/lesson/lesson.ts";
import { proveLesson, type Step } from "../src/lesson/proof.ts";

const FLAGS = {
  kit: {
    name: "kit",
    placeholder: "FILE",
    help:
      "Unpack this kit, and type start, check, solve and check in it instead",
    default: "",
    parse: filePath,
  },
  limitMinutes: {
    name: "limit-minutes",
    placeholder: "MINUTES",
    help: "Fail if everything together takes longer",
    default: 15,
    parse: positiveNumber(1440),
  },
} as const satisfies FlagRows;

/**
 * How many lessons are proven side by side. A check mostly waits: its callers,
 * Envoy and servers use half of a core. In a kit, each command starts anew.
 */
const SIDE_BY_SIDE = 2;

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
  const lessons = [...chosen(positionals)];
  const { signal } = listenForStop(killAllChildren);
  const stacks = await nativeStacks(print, signal);
  const startMs = performance.now();
  const steps: Step[] = [];
  // Each worker has a folder; in a kit, a learner's files are in the kit's own.
  const work = async () => {
    const place = await Deno.makeTempDir({ prefix: "lessons-" });
    try {
      if (values.kit !== "") await unpack(values.kit, place, signal);
      for (
        let lesson = lessons.shift();
        lesson !== undefined;
        lesson = lessons.shift()
      ) {
        const proof = values.kit === ""
          ? proveLesson(lesson, `${place}/${lesson.name}`, { stacks, signal })
          : typeLesson(lesson, place, signal);
        const proven = await Array.fromAsync(proof);
        steps.push(...proven);
        print(`${lesson.number}. ${lesson.title}`);
        proven.forEach(printStep);
      }
    } finally {
      lessons.length = 0; // Whoever fails is the last.
      await Deno.remove(place, { recursive: true });
    }
  };
  const length = values.kit === "" ? SIDE_BY_SIDE : 1;
  const workers = Array.from({ length }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
  const tookMs = performance.now() - startMs;
  const { lines, isHeld } = summaryOf(steps, tookMs, values.limitMinutes);
  lines.forEach(print);
  return isHeld ? 0 : EXIT_CODES.failed;
}

/**
 * What came of all steps together.
 *
 * @param limitMinutes The longest that they may take.
 */
export function summaryOf(
  steps: readonly Step[],
  tookMs: number,
  limitMinutes: number,
): { readonly lines: readonly string[]; readonly isHeld: boolean } {
  const held = steps.filter(({ problem }) => problem === undefined).length;
  const repeated = steps.filter(({ tries }) => tries > 1).length;
  const minutes = tookMs / 60_000;
  const isLate = minutes > limitMinutes;
  return {
    lines: [
      `${held} of ${steps.length} steps held, in ${minutes.toFixed(1)} ` +
      `minutes; ${repeated} took more than one try`,
      ...(isLate
        ? [
          `FAILED: they may take ${limitMinutes} minutes; shorten checks, or ` +
          "repeat this on a machine at rest if it was busy",
        ]
        : []),
    ],
    isHeld: held === steps.length && held > 0 && !isLate,
  };
}

function printStep({ what, problem, sentence, tries, tookMs }: Step): void {
  const words = problem === undefined ? "ok" : `FAILED: ${problem}`;
  const times = tries > 1 ? `, ${tries} tries` : "";
  print(`  ${what} ... ${words} (${seconds(tookMs)}${times})`);
  print(`    ${sentence}`);
}

/** Unpacks a kit, without the folder that its archive has for its parts. */
async function unpack(
  archive: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const args = ["-xzf", archive, "-C", folder, "--strip-components=1"];
  const { code, stderr } = await runToEnd("tar", args, { signal });
  if (code === 0) return;
  const [firstLine] = stderr.split("\n");
  throw new Failure(
    "environment",
    `Cannot unpack "${archive}": ${firstLine}; name the kit's archive`,
  );
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
