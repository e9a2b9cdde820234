/** The command `experiment`: what people type, what they see, what is left. */
import assert from "node:assert/strict";
import { CATALOGUE } from "../experiments/catalogue.ts";
import { runToEnd } from "../src/io/processes.ts";
import { print } from "../src/io/terminal.ts";
import { ROOT, type Run, startSource } from "./programs.ts";
import { withReports } from "./report_folder.ts";

function experiment(...args: string[]): Run {
  return startSource("lab", ["experiment", ...args]);
}

Deno.test("experiment list names every experiment and its question", async () => {
  const run = experiment("list");
  assert.equal(await run.ended, 0, run.text());
  for (const { name, question } of CATALOGUE) {
    assert.ok(run.text().includes(name), name);
    assert.ok(run.text().includes(question), question);
  }
});

Deno.test("experiment says what is wrong with its command line", async () => {
  const rows: readonly (readonly [string[], RegExp])[] = [
    [[], /needs one of list, run NAME, all, .*: ""/],
    [["run"], /run needs a name: .*kill-one/],
    [["run", "kill-two"], /no experiment "kill-two"; there are .*kill-one/],
    [["all", "kill-one"], /all takes no name: "kill-one"/],
    [["run", "rolling-restart", "--short"], /None of these .* short/],
    [["all", "--seed", "x"], /--seed must be a whole number/],
    [["all", "--service", "a.B"], /--service "a.B" needs a file/],
    [["all", "--kubernetes", "--config", "a"], /--config a has no effect with/],
  ];
  for (const [args, message] of rows) {
    const run = experiment(...args);
    assert.equal(await run.ended, 2, run.text());
    assert.match(run.text(), message);
  }
});

Deno.test("experiment, interrupted, reports and leaves nothing", async () => {
  await withReports(async (out, read) => {
    const run = experiment("run", "kill-one", ...out);
    await run.printed(/[2-3]\.\d s {2}\d+ calls/);
    run.process.kill("SIGINT");
    assert.equal(await run.ended, 1, run.text());
    assert.match(run.text(), /the run was interrupted/);
    assert.deepEqual(run.leftovers(), []);
    const { info, experiments, histories } = JSON.parse(await read());
    assert.equal(info.isInterrupted, true);
    assert.equal(experiments[0].verdict, "unknown");
    assert.ok(histories[0].run.calls.status.length > 100);
  });
});

// The start takes a second or so; these are moments all through it.
for (const atMs of [100, 400, 700, 1000, 1500]) {
  Deno.test(`experiment, interrupted after ${atMs} ms, leaves nothing`, async () => {
    await withReports(async (out) => {
      const run = experiment("run", "kill-one", ...out);
      const timer = setTimeout(() => run.process.kill("SIGINT"), atMs);
      const code = await run.ended;
      clearTimeout(timer);
      // With a measurement begun it reports what it has, which is unknown.
      assert.ok(code === 130 || code === 1, `exit code ${code}: ${run.text()}`);
      assert.deepEqual(run.leftovers(), []);
    });
  });
}

for (
  const [file, keepsCalls] of [
    ["tls.yaml", true],
    ["two_clusters.yaml", false],
    ["dns_cluster.yaml", true],
  ] as const
) {
  Deno.test(`experiment: with ${file}, ${keepsCalls ? "no call is" : "calls are"} lost`, async () => {
    await withReports(async (out, read) => {
      const config = ["--config", `src/adapt/cases/${file}`];
      const run = experiment("run", "kill-one", ...config, ...out);
      const code = await run.ended;
      assert.deepEqual(run.leftovers(), []);
      const { info, experiments: [{ verdict, runs, reasons }] } = JSON.parse(
        await read(),
      );
      assert.equal(runs.length, 1, "there is no control");
      const [{ calls, lost }] = runs;
      assert.equal(calls, 1500, run.text());
      // A machine that others keep busy tells nothing; it breaks no promise.
      const isBusy = /machine (was|is too) busy/.test(reasons.join());
      if (isBusy) print(`${file} is unclear: ${lost} lost; ${reasons.join()}`);
      if (!isBusy || !keepsCalls) {
        assert.equal(lost === 0, keepsCalls, run.text());
      }
      const expected = keepsCalls ? "held" : "broken";
      assert.equal(verdict, isBusy ? "unknown" : expected, run.text());
      assert.equal(code, verdict === "held" ? 0 : 1);
      assert.ok(info.replaced.length >= 5, run.text());
      assert.ok(run.text().includes(info.replaced[0]), run.text());
    });
  });
}

Deno.test("doctor --measure runs the experiments of what it finds", async () => {
  const file = "src/doctor/cases/fn-retry-empty.yaml"; // It retries nothing.
  const { code, stdout, stderr } = await runToEnd(Deno.execPath(), [
    // With no more permissions than its own.
    ...["run", "-q", "-P=doctor", "src/lab.ts", "doctor", file],
    ...["--measure", "--json"],
  ], { cwd: ROOT });
  assert.equal(code, 1, stderr);
  const { findings, replaced } = JSON.parse(stdout);
  assert.ok(
    replaced.includes('cluster "quotes": is called "grpc-server"'),
    replaced.join("\n"),
  );
  assert.deepEqual(
    findings.map(({ rule }: { rule: string }) => rule),
    ["no-retries"],
  );
  const [{ measured: { verdict, sentence } }] = findings;
  assert.match(sentence, /no call is lost: [1-9]\d* of 1500 calls lost/);
  const isBusy = /machine was busy/.test(sentence);
  assert.equal(verdict, isBusy ? "unknown" : "broken", sentence);
});
