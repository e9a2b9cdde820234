/** Proves lessons: see src/lesson/proof.ts. */
import { LESSONS } from "../workshop/lessons/catalogue.ts";
import { EXIT_CODES, Failure } from "../src/core/errors.ts";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { killAllChildren } from "../src/io/child.ts";
import { listenForStop, runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { nativeStacks } from "../src/experiment/stacks.ts";
import type { Lesson } from "../src/lesson/lesson.ts";
import { proveLesson } from "../src/lesson/proof.ts";

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
  const { positionals, help } = parseFlags({}, Deno.args, {
    positionalsMax: Infinity,
  });
  if (help) {
    print(helpText("lessons [NN...]", ABOUT, {}));
    return 0;
  }
  const lessons = chosen(positionals);
  const { signal } = listenForStop(killAllChildren);
  const stacks = await nativeStacks(print, signal);
  const startMs = performance.now();
  let steps = 0;
  let failed = 0;
  for (const lesson of lessons) {
    print(`${lesson.number}. ${lesson.title}`);
    const folder = await Deno.makeTempDir({ prefix: "lesson-" });
    try {
      for await (
        const step of proveLesson(lesson, folder, { stacks, signal })
      ) {
        const { what, problem, sentence, tookMs } = step;
        steps += 1;
        if (problem !== undefined) failed += 1;
        const words = problem === undefined ? "ok" : `FAILED: ${problem}`;
        print(`  ${what} ... ${words} (${seconds(tookMs)})`);
        print(`    ${sentence}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  const took = seconds(performance.now() - startMs);
  print(`${steps - failed} of ${steps} steps held, in ${took}`);
  return failed === 0 && steps > 0 ? 0 : EXIT_CODES.failed;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

if (import.meta.main) await runProgram("lessons", run);
