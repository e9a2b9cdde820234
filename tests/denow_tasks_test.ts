/** What `denow` does with a task's name, and where it keeps packages. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { FAKE_DENO, Place } from "./_denow_place.ts";
import { ROOT, start } from "./programs.ts";

/** A place where the pinned Deno is on PATH. */
async function makePlace(): Promise<Place & { deno: string }> {
  const place = await Place.make();
  return Object.assign(place, { deno: await place.write("deno", FAKE_DENO) });
}

for (const args of [[], ["--help"], ["help"], ["task"], ["task", "--help"]]) {
  Deno.test(`denow ${args.join(" ")} lists the tasks, without Deno`, async () => {
    await using place = await Place.make();
    const { code, stdout, stderr } = await place.run(args);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    const listed = [...stdout.matchAll(/^ {2}(\S+) +(.*)$/gm)]
      .map(([, name, description]) => [name, description]);
    assert.deepEqual(
      listed,
      Object.entries(config.tasks).map((
        [name, { description }],
      ) => [name, description]),
    );
    assert.equal(existsSync(place.tools), false);
  });
}

for (const name of Object.keys(config.tasks)) {
  Deno.test(`denow ${name} says how a task is typed`, async () => {
    await using place = await makePlace();
    assert.deepEqual(await place.run([name]), {
      code: 2,
      stdout: "",
      stderr: `denow: "${name}" is a task: type ./denow task ${name}\n`,
    });
  });
}

Deno.test("denow test FILE is Deno's own test command", async () => {
  await using place = await makePlace();
  const { stdout } = await place.run(["test", "-A", "a_test.ts"]);
  assert.match(stdout, /<test><-A><a_test\.ts>/);
});

Deno.test("denow task NAME means the project's task in every folder", async () => {
  await using place = await makePlace();
  const { stdout } = await place.run(["task", "up", "a b"], {
    cwd: place.folder,
  });
  assert.equal(
    stdout,
    `<${place.deno}><task><--quiet><--config><${place.project}/deno.json>` +
      `<up><a b> ${place.folder} system,mozilla 1 ${place.cache}\n`,
  );
});

Deno.test("denow in another folder: a file argument is relative to it", () => {
  const says = async (path: string) => {
    // A Deno project of its own, in which no task is ours.
    const cwd = await Deno.makeTempDir({ prefix: "denow-test-" });
    try {
      await Deno.mkdir(join(cwd, "deeper"));
      await Deno.writeTextFile(join(cwd, "deno.json"), "{}");
      await Deno.copyFile(join(ROOT, "envoy.yaml"), join(cwd, "mine.yaml"));
      const run = start("sh", [
        ...["-c", 'cd "$0/deeper" && exec "$@"', cwd, join(ROOT, "denow")],
        ...["task", "doctor", path],
      ], { DENO: Deno.execPath() });
      return { code: await run.ended, text: run.text(), cwd };
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  };
  return Promise.all([
    says("../mine.yaml").then(({ code, text }) => assert.equal(code, 0, text)),
    says("mine.yaml").then(({ code, text, cwd }) => {
      assert.equal(code, 3, text);
      assert.ok(text.includes(`Cannot read "${cwd}/deeper/mine.yaml"`), text);
    }),
  ]).then(() => {});
});

Deno.test("denow fetches the packages of deno.lock once, with a line", async () => {
  await using place = await makePlace();
  const installs = () =>
    Deno.readTextFileSync(join(place.cache, "installed")).trim().split("\n");
  const line =
    `denow: fetching the npm packages (about ${config.toolMegabytes.packages} MB) ...\n`;
  const lock = join(place.project, "deno.lock");
  await Deno.writeTextFile(lock, "one");
  assert.equal((await place.run(["task", "up"])).stderr, line);
  assert.equal((await place.run(["run", "a.ts"])).stderr, "");
  assert.equal((await place.run(["fmt"])).stderr, "");
  assert.deepEqual(installs(), [
    `install --quiet --config ${place.project}/deno.json`,
  ]);
  await Deno.writeTextFile(lock, "two");
  assert.equal((await place.run(["fmt"])).stderr, "");
  assert.equal((await place.run(["check"])).stderr, line);
  assert.equal((await place.run(["test", "a.ts"])).stderr, "");
  assert.equal(installs().length, 2);
  assert.deepEqual(place.toolNames(), []);
});

Deno.test("denow says why packages cannot be fetched", async () => {
  await using place = await makePlace();
  await Deno.writeTextFile(join(place.project, "deno.lock"), "one");
  await place.write(
    "deno",
    FAKE_DENO.replace(
      '[ "$1" = install ]',
      '[ "$1" = install ] && { echo "error: no route" >&2; exit 1; }\nfalse',
    ),
  );
  assert.deepEqual(await place.run(["task", "up"]), {
    code: 3,
    stdout: "",
    stderr:
      `denow: fetching the npm packages (about ${config.toolMegabytes.packages} MB) ...\n` +
      "denow: Cannot fetch the npm packages (no route); check the network, or " +
      "after a change of deno.json run ./denow install --frozen=false\n",
  });
  assert.deepEqual(place.toolNames(), []);
});

Deno.test("denow leaves DENO_DIR as the user has set it", async () => {
  await using place = await makePlace();
  await Deno.writeTextFile(join(place.project, "deno.lock"), "one");
  const env = { DENO_DIR: join(place.folder, "mine") };
  const { stdout, stderr } = await place.run(["run", "a.ts"], { env });
  assert.equal(stderr, "");
  assert.ok(stdout.endsWith(` ${env.DENO_DIR}\n`), stdout);
  assert.equal(existsSync(place.tools), false);
});
