import assert from "node:assert/strict";
import { makeRunFolder, RECORD_VERSION, writeRun } from "./run_folder.ts";
import { keepNewest, readRecord, runFolders } from "./run_folders.ts";

async function withDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "run-folders-test-" });
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A run's folder as it was made at a second of one minute. */
async function makeRun(dir: string, second: number): Promise<string> {
  const name = `20261124-0315${String(second).padStart(2, "0")}-load-spike`;
  const page = await writeRun(dir, "x", {
    kind: "load",
    record: {},
    page: "<p>",
  });
  await Deno.rename(page.replace("/report.html", ""), `${dir}/${name}`);
  return name;
}

function namesIn(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

const LATEST = "latest.html";

/** What the page "latest.html" leads to. */
async function latestOf(dir: string): Promise<string | undefined> {
  const html = await Deno.readTextFile(`${dir}/${LATEST}`);
  return /url=([^/"]+)\/report\.html"/.exec(html)?.[1];
}

Deno.test("keepNewest() keeps the newest runs, and latest.html right", async () => {
  await withDir(async (dir) => {
    const names: string[] = [];
    for (const second of [1, 2, 10]) names.push(await makeRun(dir, second));
    const [oldest = "", middle = "", newest = ""] = names;
    const lead = (name: string) =>
      Deno.writeTextFile(`${dir}/${LATEST}`, `url=${name}/report.html"`);
    const listed = await runFolders(dir);
    assert.deepEqual(
      listed.map(({ name }) => name),
      [newest, middle, oldest],
    );
    assert.ok(listed.every(({ bytes }) => bytes > 20 && bytes < 200));
    // A run that is kept stays the latest, though another began later.
    await lead(middle);
    assert.equal((await keepNewest(dir, 2)).length, 1);
    assert.deepEqual(namesIn(dir), [middle, newest, LATEST]);
    assert.equal(await latestOf(dir), middle);
    assert.equal((await keepNewest(dir, 1)).length, 1);
    assert.equal(await latestOf(dir), newest);
    assert.deepEqual(await keepNewest(dir, 1), []);
    assert.equal((await keepNewest(dir, 0)).length, 1);
    assert.deepEqual(namesIn(dir), []);
  });
});

Deno.test("keepNewest() removes nothing that runs have not made", async () => {
  await withDir(async (dir) => {
    const outside = await makeRun(`${dir}`, 1);
    const reports = `${dir}/reports`;
    await Deno.mkdir(reports);
    await Deno.symlink(
      `${dir}/${outside}`,
      `${reports}/20261124-031501-load-link`,
    );
    const other = await makeRun(reports, 2);
    await Deno.rename(`${reports}/${other}`, `${reports}/my-runs`);
    const withNotes = await makeRun(reports, 3);
    await Deno.writeTextFile(`${reports}/${withNotes}/notes.txt`, "mine");
    const withLink = await makeRun(reports, 4);
    await Deno.symlink(
      `${dir}/${outside}/report.html`,
      `${reports}/${withLink}/dashboard.html`,
    );
    // One that is going on has no record yet.
    await makeRunFolder(reports, "load-soak");
    await Deno.writeTextFile(`${reports}/20261124-031505-load-spike`, "a file");
    const before = namesIn(reports);
    assert.deepEqual(await runFolders(reports), []);
    assert.deepEqual(await keepNewest(reports, 0), []);
    assert.deepEqual(namesIn(reports), before);
  });
});

Deno.test("runFolders() finds none where there is no folder", async () => {
  assert.deepEqual(await runFolders("/nonexistent/reports"), []);
  await assert.rejects(runFolders("/dev/null/reports"), {
    message: /^Cannot list "\/dev\/null\/reports": .*; let this program/,
  });
});

Deno.test("readRecord() says in a sentence why a record cannot be read", async () => {
  await withDir(async (dir) => {
    const rows: readonly (readonly [string | undefined, RegExp])[] = [
      [
        undefined,
        /^Cannot read ".*record\.json": .*; name the folder of a run/,
      ],
      ["{", /record\.json" is not JSON: .*; it is damaged, so make/],
      ["\u001b[2J", /is not JSON: [^[]*\\u\{1b\}/],
      ["null", /is a record of version none, and this program reads version 2/],
      ["[]", /is a record of version none/],
      ['{"version":"\\u001b"}', /of version "\\u001b", and/],
      ['{"version":1}', /is a record of version 1, .*; use the program that/],
    ];
    for (const [text, message] of rows) {
      if (text !== undefined) {
        await Deno.writeTextFile(`${dir}/record.json`, text);
      }
      await assert.rejects(readRecord(dir), {
        name: "Failure",
        kind: "environment",
        message,
      });
    }
    await Deno.writeTextFile(
      `${dir}/record.json`,
      JSON.stringify({ kind: "load", version: RECORD_VERSION }),
    );
    assert.equal((await readRecord(dir)).kind, "load");
  });
});
