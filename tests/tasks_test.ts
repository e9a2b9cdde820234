/** Every task and tool explains itself and refuses what it does not know. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { copyProject, start } from "./programs.ts";

/** What must not be there after a run. */
const CALLED = "docker-was-called";

/** A copy of the project, in which a task that does something is seen. */
async function makeCopy(): Promise<AsyncDisposable & { folder: string }> {
  const folder = await Deno.makeTempDir({ prefix: "tasks-test-" });
  await copyProject(folder);
  for (
    const path of [
      ...[".tools/deno-0/deno", "dist/a", "reports/a"],
      ...["loadtest/reports/a", "bin/docker"],
    ]
  ) {
    const target = join(folder, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, "");
  }
  await Deno.writeTextFile(
    join(folder, "bin/docker"),
    `#!/bin/sh\n: > "${folder}/${CALLED}"\nexit 1\n`,
    { mode: 0o755 },
  );
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Each file below a folder, with when it was last written. */
function filesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory
      ? filesIn(path)
      : [`${path} ${Deno.statSync(path).mtime?.getTime()}`];
  }).sort();
}

const tasks = Object.keys(config.tasks).map((name) => ({
  name,
  args: ["task", "-q", name],
}));

const texts = Object.values(config.tasks).map(({ command }) => command);

/** The programs in tools/ and bootstrap/ that no task runs. */
const tools = ["tools", "bootstrap"]
  .flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
  )
  .filter((path) =>
    path.endsWith(".ts") &&
    Deno.readTextFileSync(path).includes("import.meta.main") &&
    !texts.some((command) => command.includes(path))
  )
  .sort()
  .map((path) => ({ name: path, args: ["run", "-q", "-P=build", path] }));

Deno.test("there are tasks and tools to be looked at", () => {
  assert.ok(tasks.length >= 10 && tools.length >= 4);
});

for (const { name, args } of [...tasks, ...tools]) {
  Deno.test(`${name} has help, refuses what it does not know, and does nothing else`, async () => {
    await using copy = await makeCopy();
    const before = filesIn(copy.folder);
    for (
      const [word, code, said] of [
        ["--help", 0, /^Usage: .+\n\n[A-Z][^]*\n {2}--help /],
        ["--no-such-flag", 2, /--no-such-flag is not a flag/],
        // To the doctor a word is a file.
        ["no-such-word", name === "doctor" ? 3 : 2, /"[^"\n]*no-such-word"/],
      ] as const
    ) {
      const run = start(
        "sh",
        [
          ...["-c", 'cd "$0" && PATH=$0/bin:$PATH exec "$@"', copy.folder],
          ...[Deno.execPath(), ...args, word],
        ],
        { INIT_CWD: copy.folder },
      );
      assert.equal(await run.ended, code, run.text());
      assert.match(run.text(), said);
      assert.doesNotMatch(run.text(), /^ +at .*:\d+:\d+/m, "a stack trace");
      assert.deepEqual(run.leftovers(), []);
      assert.deepEqual(filesIn(copy.folder), before);
    }
  });
}
