import assert from "node:assert/strict";
import { makeWay } from "./leftovers.ts";
import { endLeftovers, findRuns, RunFile } from "./run_file.ts";

const isElsewhere = Deno.build.os !== "linux";

/** A process that sleeps, and is ended in the end. */
function sleeper(): AsyncDisposable & { process: Deno.ChildProcess } {
  const process = new Deno.Command("sleep", { args: ["60"] }).spawn();
  return {
    process,
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await process.status;
    },
  };
}

async function makeFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "run-file-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Rewrites the only file of a folder. */
async function rewrite(
  folder: string,
  change: (text: string) => string,
): Promise<void> {
  const [entry] = [...Deno.readDirSync(folder)];
  assert.ok(entry);
  const path = `${folder}/${entry.name}`;
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}

/** As it is after `up` was killed: its process is another one. */
const withoutUp = (text: string) =>
  text.replace(/("up":\{[^}]*"born":"[^"]*)"/, '$1 then"');

const names = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name);

function linuxTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: isElsewhere, fn });
}

linuxTest(
  "findRuns() finds a run that lives, and remove() its file",
  async () => {
    await using folder = await makeFolder();
    await using child = sleeper();
    const file = new RunFile([5000, 8080], folder.path);
    await Promise.all([file.note([]), file.note([child.process.pid])]);
    const [run] = await findRuns(folder.path);
    assert.ok(run);
    assert.equal(run.isRunning, true);
    assert.equal(run.up.pid, Deno.pid);
    assert.deepEqual(run.living.map(({ pid }) => pid), [child.process.pid]);
    assert.deepEqual(run.ports, [5000, 8080]);
    await file.remove();
    assert.deepEqual(names(folder.path), []);
  },
);

linuxTest(
  "endLeftovers() ends what is left, and removes the file",
  async () => {
    await using folder = await makeFolder();
    await using child = sleeper();
    await new RunFile([1], folder.path).note([child.process.pid]);
    await rewrite(folder.path, withoutUp);
    const [run] = await findRuns(folder.path);
    assert.equal(run?.isRunning, false);
    await endLeftovers(run);
    assert.equal((await child.process.status).signal, "SIGKILL");
    assert.deepEqual(names(folder.path), []);
  },
);

linuxTest(
  "findRuns() never takes a later process for an earlier one",
  async () => {
    await using folder = await makeFolder();
    await using child = sleeper();
    await new RunFile([1], folder.path).note([child.process.pid]);
    const runs = await findRuns(folder.path);
    await rewrite(
      folder.path,
      (text) =>
        text.replaceAll(/(\d+)"/g, (_, ticks) => `${Number(ticks) + 1}"`),
    );
    assert.equal(runs.length, 1);
    assert.deepEqual(await findRuns(folder.path), []);
    assert.deepEqual(names(folder.path), []);
    Deno.kill(child.process.pid, "SIGCONT"); // Throws when it has ended.
  },
);

linuxTest(
  "what a run's Envoys shared is removed with its file, not before",
  async () => {
    await using folder = await makeFolder();
    await using child = sleeper();
    const leave = async () => {
      const file = new RunFile([1], folder.path);
      await file.note([child.process.pid]);
      await rewrite(folder.path, withoutUp);
      const shared = `/dev/shm/envoy_shared_memory_${file.baseId}0`;
      await Deno.writeTextFile(shared, "");
      return shared;
    };
    const first = await leave();
    const [run] = await findRuns(folder.path);
    assert.ok(run);
    await Deno.stat(first); // Throws when it is gone.
    await endLeftovers(run);
    await assert.rejects(Deno.stat(first), Deno.errors.NotFound);
    await child.process.status;
    const second = await leave(); // Nothing of this one lives.
    assert.deepEqual(await findRuns(folder.path), []);
    await assert.rejects(Deno.stat(second), Deno.errors.NotFound);
  },
);

linuxTest("findRuns() takes a number only as what a run shared", async () => {
  await using folder = await makeFolder();
  await new RunFile([1], folder.path).note([]);
  assert.equal((await findRuns(folder.path)).length, 1);
  await rewrite(
    folder.path,
    (text) => text.replace(/("baseId":)\d+/, '$1"/../x"'),
  );
  assert.deepEqual(await findRuns(folder.path), []);
});

linuxTest("endLeftovers() looks again before it ends anything", async () => {
  await using folder = await makeFolder();
  await using child = sleeper();
  await new RunFile([1], folder.path).note([child.process.pid]);
  await rewrite(folder.path, withoutUp);
  const [run] = await findRuns(folder.path);
  assert.ok(run);
  const parts = run.parts.map((part) => ({ ...part, born: "then" }));
  await endLeftovers({ ...run, parts });
  Deno.kill(child.process.pid, "SIGCONT"); // Throws when it has ended.
});

for (
  const [what, text] of [
    ["no JSON", "{"],
    ["another thing", '{"up":1}'],
    ["a process group", '{"up":{"pid":-1,"born":""},"parts":[],"ports":[]}'],
  ] as const
) {
  Deno.test(`findRuns() removes a file that has ${what}`, async () => {
    await using folder = await makeFolder();
    await Deno.writeTextFile(`${folder.path}/12-34.json`, text);
    await Deno.writeTextFile(`${folder.path}/other.json`, text);
    assert.deepEqual(await findRuns(folder.path), []);
    assert.deepEqual(names(folder.path), ["other.json"]);
  });
}

Deno.test("findRuns() finds none where there is no folder", async () => {
  assert.deepEqual(await findRuns("/nonexistent/run"), []);
});

linuxTest(
  "makeWay() asks, and ends leftovers only when they are in the way",
  async () => {
    await using folder = await makeFolder();
    await using child = sleeper();
    await new RunFile([5000], folder.path).note([child.process.pid]);
    await rewrite(folder.path, withoutUp);
    const options = { isReplacing: false, folder: folder.path };
    const asked: string[] = [];
    const ask = (answer: boolean | undefined) => (question: string) => {
      asked.push(question);
      return Promise.resolve(answer);
    };
    await makeWay([5001], { ...options, ask: ask(true) });
    assert.deepEqual(asked, []);
    for (const answer of [false, undefined]) {
      await assert.rejects(makeWay([5000], { ...options, ask: ask(answer) }), {
        name: "Failure",
        kind: "environment",
        message: new RegExp(
          `^Process ${child.process.pid} is left of .*; end it with --replace$`,
        ),
      });
    }
    assert.match(asked[0] ?? "", /, and may hold port 5000\. End it\?$/);
    Deno.kill(child.process.pid, "SIGCONT"); // Throws when it has ended.
    await makeWay([5000], { ...options, ask: ask(true) });
    assert.equal((await child.process.status).signal, "SIGKILL");
  },
);
