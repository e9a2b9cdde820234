/**
 * The proof of lessons is able to fail; `./denow task lessons` proves them all.
 * And every command in a lesson's text is typed.
 */
import assert from "node:assert/strict";
import { nativeStacks } from "../../src/experiment/stacks.ts";
import { PANIC } from "../../src/lesson/_fixture.ts";
import { numberWord } from "../../src/lesson/course.ts";
import { parseMarkdown } from "../../src/lesson/markdown.ts";
import { proveLesson, type Step } from "../../src/lesson/proof.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { LESSONS } from "../../workshop/lessons/catalogue.ts";
import { makeCopy } from "../lesson_copy.ts";
import { type Run, startIn } from "../programs.ts";
import { freePort } from "../stacks.ts";

async function stepsOf(lesson: Lesson): Promise<readonly Step[]> {
  const { signal } = new AbortController();
  const stacks = await nativeStacks(() => {}, signal);
  const folder = await Deno.makeTempDir({ prefix: "lessons-test-" });
  try {
    return await Array.fromAsync(
      proveLesson(lesson, folder, { stacks, signal }),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("proveLesson() tells a lesson that is right at its start, has no solution, or other sentences", async () => {
  const quick: Lesson = {
    ...PANIC,
    start: PANIC.start.slice(1), // The threshold stays 0.
    solution: [{ path: PANIC.start[0]?.path ?? [], value: 60 }],
    mistakes: [{
      name: "none at all",
      edits: [{ path: PANIC.start[0]?.path ?? [], value: 60 }],
      isIn: () => false,
      sentence: "This is not said",
    }],
  };
  const problems = (await stepsOf(quick)).map(({ problem }) => problem);
  assert.match(problems[0] ?? "", /^it is solved$/);
  assert.match(problems[1] ?? "", /^it is wrong$/);
  assert.match(problems[2] ?? "", /^it is wrong, not "This is not said"$/);
});

/** The lines of a text's shell blocks. */
function commandsOf({ text }: Lesson): readonly string[] {
  return parseMarkdown(text).flatMap((block) =>
    block.kind === "code" && block.language === "sh"
      ? block.text.split("\n").filter((line) => line.trim() !== "")
      : []
  );
}

const VERBS = "up|ctl|lesson|load|experiment run|doctor";

/** What a lesson may ask a learner to type. */
const ALLOWED = [
  new RegExp(`^\\./demo (${VERBS})( [\\w./=:,-]+)*$`),
  /^curl -s localhost:9901\/[\w/?=.&-]+( \| grep [\w.:-]+)?$/,
];

Deno.test("lessons ask for commands of the allowed forms only", () => {
  const commands = LESSONS.flatMap(commandsOf);
  const others = commands.filter((command) =>
    !ALLOWED.some((form) => form.test(command))
  );
  assert.deepEqual(others, []);
  assert.equal(commands.length > LESSONS.length, LESSONS.length > 0);
  for (
    const command of ["rm -rf my", "./demo up; ls", "curl -s example.org/"]
  ) {
    assert.ok(!ALLOWED.some((form) => form.test(command)), command);
  }
});

/** What a command must say when it does not end with 0. */
const OTHER_ENDS: readonly (readonly [command: RegExp, said: RegExp])[] = [
  [/demo doctor/, /\d+ of \d+ known pitfalls/],
  [/experiment run/, /machine (was|is too) busy/],
];

for (const lesson of LESSONS) {
  // Checks are what the proof is about.
  const commands = commandsOf(lesson)
    .filter((command) => command !== "./demo lesson check");
  if (commands.length === 0) continue;
  Deno.test(`lesson ${lesson.number}, ${lesson.name}: its commands work as they are written`, async () => {
    await using copy = await makeCopy("all");
    const [admin, page] = [freePort(), freePort()];
    const ports = `--port ${freePort()} --admin-port ${admin} ` +
      `--server-port ${freePort()} --page-port ${page}`;
    const lab = `exec ${Deno.execPath()} run -q -P=lab src/lab.ts`;
    const type = (command: string) =>
      startIn(copy.folder, [
        ...["sh", "-c"],
        command.replace("./demo", lab)
          .replace(/ up\b.*/, `$& ${ports}`)
          .replace(/ ctl\b.*/, `$& --page-port ${page}`)
          .replace("localhost:9901", `localhost:${admin}`),
      ]);
    let up: Run | undefined;
    const stop = async () => {
      if (up === undefined) return;
      up.process.kill("SIGINT");
      assert.equal(await up.ended, 0, up.text());
      assert.deepEqual(up.leftovers(), []);
      up = undefined;
    };
    await copy.lesson(`start ${numberWord(lesson)}`, 0, /[Yy]our copy/);
    for (const command of commands) {
      if (/^\.\/demo up\b/.test(command)) {
        await stop();
        up = type(command);
        await up.printed(/ready: /);
        continue;
      }
      const run = type(command);
      const code = await run.ended;
      const [, said] = OTHER_ENDS.find(([one]) => one.test(command)) ?? [];
      if (code === 1 && said !== undefined) assert.match(run.text(), said);
      else assert.equal(code, 0, `${command}: ${run.text()}`);
    }
    await stop();
  });
}
