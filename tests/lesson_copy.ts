/** A copy of the project, with a learner's folder of its own. */
import assert from "node:assert/strict";
import { copyProject, ROOT, type Run, startIn } from "./programs.ts";

/** The learner's copy of envoy.yaml for the fixture's lesson. */
export const FILE = "my/05-panic/envoy.yaml";

/** The fixture's lesson in place of all others. */
const CATALOGUE = `import { PANIC } from "../../src/lesson/_fixture.ts";
export const LESSONS = [PANIC];
`;

/** A copy, which is removed in the end. */
export interface LessonCopy extends AsyncDisposable {
  readonly folder: string;
  /** Starts the lab from source. */
  lab(...args: readonly string[]): Run;
  /** Runs a command of `lesson` to its end. */
  lesson(verb: string, code: number, said: RegExp): Promise<void>;
  read(path?: string): Promise<string>;
  write(text: string, path?: string): Promise<void>;
}

/** Copies the project; with the fixture's lesson alone, or all that it has. */
export async function makeCopy(
  lessons: "fixture" | "all" = "fixture",
): Promise<LessonCopy> {
  const folder = await Deno.makeTempDir({ prefix: "lesson-test-" });
  await copyProject(folder);
  await Deno.symlink(`${ROOT}.tools`, `${folder}/.tools`);
  if (lessons === "fixture") {
    const path = `${folder}/workshop/lessons/catalogue.ts`;
    await Deno.writeTextFile(path, CATALOGUE);
  }
  const lab = (...args: readonly string[]) =>
    startIn(folder, [
      ...[Deno.execPath(), "run", "-q", "-P=lab", "src/lab.ts"],
      ...args,
    ]);
  return {
    ...{ folder, lab },
    lesson: async (verb, code, said) => {
      const run = lab("lesson", ...verb.split(" "));
      assert.equal(await run.ended, code, run.text());
      assert.match(run.text(), said);
      assert.deepEqual(run.leftovers(), []);
    },
    read: (path = FILE) => Deno.readTextFile(`${folder}/${path}`),
    write: (text, path = FILE) => Deno.writeTextFile(`${folder}/${path}`, text),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
