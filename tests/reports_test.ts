/** Records that are there: drawn again, compared, listed and removed. */
import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { REPORT } from "../src/core/load/_report.ts";
import { calls, history } from "../src/experiment/_history.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import type { CallRecord } from "../src/experiment/history.ts";
import { writeRun } from "../src/io/run_folder.ts";
import { writeReports } from "../src/report/files.ts";
import { ROOT, type Run, start } from "./programs.ts";

const EXPERIMENT: Experiment = {
  name: "fixture",
  question: "Does it work?",
  setup: { servers: 1 },
  load: { ratePerS: 100, durationMs: 1000 },
  events: [],
  claims: [],
  control: { about: "no retries", breaks: ["lost"] },
};

/** A folder of its own, as the project's would be, with the lab in it. */
class Place implements AsyncDisposable {
  constructor(readonly folder: string) {}

  static async make(): Promise<Place> {
    const folder = await Deno.makeTempDir({ prefix: "reports-test-" });
    // Where it stands, "./reports" may be written.
    for (const name of ["deno.json", "deno.lock"]) {
      await Deno.copyFile(`${ROOT}${name}`, `${folder}/${name}`);
    }
    return new Place(folder);
  }

  get reports(): string {
    return `${this.folder}/reports`;
  }

  /** Starts the lab there; INIT_CWD is where its user has typed. */
  lab(args: readonly string[], typedIn = this.folder): Run {
    return start(
      Deno.execPath(),
      [
        ...["run", "-q", "-P=lab", "--config", `${this.folder}/deno.json`],
        ...[`${ROOT}src/lab.ts`, ...args],
      ],
      { INIT_CWD: typedIn },
      this.folder,
    );
  }

  /** A run of "fixture" and another, if it has another name. */
  async run(
    name: string,
    lost: Partial<CallRecord>,
    envoy: string,
  ): Promise<string> {
    const given = history({ calls: [...calls(98), ...calls(2, lost)] });
    const isLost = lost.status !== undefined;
    const claim = {
      id: "lost",
      text: "no call is lost",
      verdict: isLost ? "broken" : "held",
      measured: `${isLost ? 2 : 0} of 100 calls lost`,
    } as const;
    const run = { history: given, findings: [claim], invariants: [] };
    const results = [...new Set(["fixture", name])].map((name) => ({
      experiment: { ...EXPERIMENT, name },
      promise: run,
      controls: [],
      verdict: claim.verdict,
      reasons: [],
    }));
    const page = await writeReports(this.reports, results, {
      seed: 1,
      stack: "native",
      command: "deno task experiment run fixture",
      machine: { memory: "2 GiB" },
      versions: { Envoy: envoy },
      writtenAt: "2026-11-24T03:15:00.000Z",
      isInterrupted: false,
    });
    return dirname(page);
  }

  async load(): Promise<string> {
    const page = await writeRun(this.reports, "load-spike", {
      kind: "load",
      record: {
        report: REPORT,
        verdict: "held",
        generator: null,
        ledgers: null,
        hasDashboard: true,
        writtenAt: "2026-11-24T03:15:00.000Z",
      },
      page: "",
    });
    return dirname(page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function ends(run: Run, code: number, words: RegExp): Promise<void> {
  assert.equal(await run.ended, code, run.text());
  assert.match(run.text(), words);
  assert.doesNotMatch(run.text(), /^ +at /m, "a stack trace");
}

Deno.test("experiment report draws the same page again, from where it was typed", async () => {
  await using place = await Place.make();
  const folder = await place.run("a", {}, "1.40.0");
  const page = await Deno.readTextFile(`${folder}/report.html`);
  await Deno.remove(`${folder}/report.html`);
  const run = place.lab(
    ["experiment", "report", basename(folder)],
    place.reports,
  );
  await ends(run, 0, /^fixture +held +100 +0 +0 +- +not run$/m);
  assert.equal(await Deno.readTextFile(`${folder}/report.html`), page);
  const load = await place.load();
  await ends(
    place.lab(["experiment", "report", load]),
    0,
    /PASSED: all 0 thresholds hold\nreport: .*-load-spike\/report\.html\n$/,
  );
  const html = await Deno.readTextFile(`${load}/report.html`);
  assert.match(html, /href="dashboard\.html"/);
});

Deno.test("experiment report says in a sentence what is wrong with a record", async () => {
  await using place = await Place.make();
  const folder = await place.run("a", {}, "1.40.0");
  const report = (dir: string) => place.lab(["experiment", "report", dir]);
  const write = (text: string) =>
    Deno.writeTextFile(`${folder}/record.json`, text);
  await ends(report(place.folder), 3, /^experiment: Cannot read ".*; name the/);
  const rows: readonly (readonly [string, RegExp])[] = [
    ["{", /^experiment: ".*" is not JSON: .*; it is damaged/],
    ['{"version":9}', /^experiment: ".*" is a record of version 9, and this/],
    ['{"version":2}', /^experiment: ".*" lacks .*no kind "undefined"/],
    ['{"version":2,"kind":"load","report":{"question":""}}', /" lacks /],
    [
      '{"version":2,"kind":"experiments","experiments":[{}]}',
      /^experiment: ".*" lacks a part that its kind must have/,
    ],
  ];
  for (const [text, words] of rows) {
    await write(text);
    const run = report(folder);
    await ends(run, 3, words);
    assert.equal(run.text().trim().split("\n").length, 1, run.text());
  }
  await ends(place.lab(["experiment", "report"]), 2, /needs the folder of a/);
});

Deno.test("a stranger's record steers no terminal", async () => {
  await using place = await Place.make();
  const folder = await place.run("\x1b[2J", {}, "1.40.0");
  const other = await place.run("\x1b[2J", {}, "\x1b[2J");
  for (const args of [["report", folder], ["compare", folder, other]]) {
    const run = place.lab(["experiment", ...args]);
    await ends(run, 0, /\\u\{1b\}\[2J/);
    assert.ok(!run.text().includes("\x1b"));
  }
});

Deno.test("experiment compare sets two runs side by side", async () => {
  await using place = await Place.make();
  const a = await place.run("only-a", {}, "1.40.0");
  const b = await place.run("only-b", { status: "INTERNAL" }, "1.41.0");
  const run = place.lab(["experiment", "compare", a, b]);
  await ends(run, 0, /^fixture +A +held +100 +0 +0 +5\.0 +5\.0$/m);
  for (
    const words of [
      /^Envoy +1\.40\.0 +1\.41\.0$/m,
      /^fixture +B +broken +100 +0 +2 +5\.0 +5\.0$/m,
      /^fixture +no call is lost +A +held +0 of 100 calls lost$/m,
      /^fixture +no call is lost +B +broken +2 of 100 calls lost$/m,
      /^Only in A: only-a$/m,
      /^Only in B: only-b$/m,
    ]
  ) assert.match(run.text(), words);
  // What is the same is not said.
  assert.doesNotMatch(run.text(), /memory|seed/);
  const page = /^report: (.*-comparison(?:-\d+)?)\/report\.html$/m
    .exec(run.text())?.[1] ?? "";
  const html = await Deno.readTextFile(
    `${place.folder}/${page}/report.html`,
  );
  assert.match(html, /2 of 100 calls lost/);
  await ends(place.lab(["experiment", "report", page]), 0, /^Only in A: /m);
  await ends(
    place.lab(["experiment", "compare", a, await place.load()]),
    3,
    /is a run of the kind "load", and only runs of experiments can be/,
  );
  await ends(place.lab(["experiment", "compare", a]), 2, /two runs/);
});

Deno.test("reports lists runs, and keeps the newest", async () => {
  await using place = await Place.make();
  await ends(place.lab(["reports"]), 0, /^0 runs, 0\.0 MiB\n$/);
  const broken = await place.run("a", { status: "INTERNAL" }, "1.40.0");
  await place.run("fixture", {}, "1.40.0");
  const load = await place.load();
  const damaged = await place.load();
  await Deno.writeTextFile(`${damaged}/record.json`, "{");
  await Deno.mkdir(`${place.reports}/mine`);
  const run = place.lab(["reports"]);
  await ends(run, 0, /-experiments +0\.[0-9] MiB +broken +2 experiments$/m);
  assert.match(run.text(), /-fixture +0\.[0-9] MiB +held +fixture: Does it/);
  assert.match(run.text(), /-load-spike +.* +held +Does every server get/);
  assert.match(run.text(), /MiB +- +its record cannot be read/);
  assert.match(run.text(), /^4 runs, 0\.[0-9] MiB$/m);
  await ends(place.lab(["reports", "--keep", "4"]), 0, /^0 removed, 0\.0 MiB/);
  await ends(
    place.lab(["reports", "--keep", "0"]),
    0,
    new RegExp(`^removed reports/${basename(load)}$[^]*^4 removed, `, "m"),
  );
  const left = [...Deno.readDirSync(place.reports)].map(({ name }) => name);
  assert.deepEqual(left, ["mine"], broken);
});
