import assert from "node:assert/strict";
import { startPiece } from "./_run.ts";
import { whenAborted } from "./program.ts";

for (
  const [why, work, code, stderr] of [
    ["the work's exit code", "return 4", 4, ""],
    [
      "a failure's exit code and sentence",
      'throw new Failure("environment", "Cannot do it")',
      3,
      "tool: Cannot do it\n",
    ],
    [
      "a line for every bad flag",
      'throw new Failure("usage", "--a is bad\\n--b is bad")',
      2,
      "tool: --a is bad\ntool: --b is bad\n",
    ],
  ] as const
) {
  Deno.test(`runProgram() ends with ${why}`, async () => {
    const piece = startPiece(
      `await program.runProgram("tool", async () => { ${work}; });`,
    );
    assert.deepEqual(await piece.end(), { code, stdout: "", stderr });
  });
}

Deno.test("runProgram() asks to report a defect", async () => {
  const piece = startPiece(
    'await program.runProgram("tool", () => Promise.reject(new Error("boom")))',
  );
  const { code, stderr } = await piece.end();
  assert.equal(code, 70);
  assert.match(
    stderr,
    /^tool: This is a defect of the program, please report it: Error: boom\n/,
  );
});

const STOPPED = `
  const stop = program.listenForStop(() => terminal.print("forced"));
  setInterval(() => {}, 60_000);
  terminal.print("ready");
  terminal.print("stop on " + await program.whenAborted(stop.signal));
`;

for (
  const [how, statement] of [
    ["throws", "throw failure"],
    ["rejects", "void Promise.reject(failure)"],
  ] as const
) {
  Deno.test(`runProgram() ends in order when a callback ${how}`, async () => {
    const piece = startPiece(`
      globalThis.addEventListener("unload", () => terminal.print("unload"));
      const failure = new Failure("environment", "Cannot do it");
      await program.runProgram("tool", () => {
        setTimeout(() => { ${statement}; }, 1);
        return new Promise(() => {});
      });
    `);
    assert.deepEqual(await piece.end(), {
      code: 3,
      stdout: "unload\n",
      stderr: "tool: Cannot do it\n",
    });
  });
}

Deno.test("runProgram() fails when output was lost, in order and with its sentence", async () => {
  const piece = startPiece(`
    const device = Deno.openSync("/dev/full", { write: true });
    await program.runProgram("tool", async () => {
      const { signal } = program.listenForStop();
      Deno.stdout.writeSync = (bytes) => device.writeSync(bytes);
      setTimeout(() => terminal.print("one"), 1);
      terminal.printError(await program.whenAborted(signal));
      terminal.print("two");
      return 0;
    });
  `);
  const { code, stderr } = await piece.end();
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^output closed\ntool: Cannot write to standard output: No space .*\n$/,
  );
});

for (
  const signal of [
    ...["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT", "SIGUSR1"],
    ...["SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGXFSZ"],
    ...["SIGSYS", "SIGIO", "SIGPWR", "SIGSTKFLT"],
  ] as const
) {
  Deno.test(`listenForStop() asks to stop on ${signal}`, async () => {
    const piece = startPiece(`${STOPPED}\nDeno.exit(5);`);
    await piece.untilPrinted("ready\n");
    piece.process.kill(signal);
    const { code, stdout } = await piece.end();
    assert.equal(code, 5);
    assert.equal(stdout, `ready\nstop on ${signal}\n`);
  });
}

Deno.test("listenForStop() takes no notice of SIGHUP under nohup", async () => {
  const piece = startPiece(
    `Deno.addSignalListener("SIGHUP", () => terminal.print("hangup"));
    ${STOPPED}`,
    { GRPC_DEMO_NOHUP: "1" },
  );
  await piece.untilPrinted("ready\n");
  piece.process.kill("SIGHUP");
  await piece.untilPrinted("hangup\n");
  piece.process.kill("SIGTERM");
  await piece.untilPrinted("stop on SIGTERM\n");
  piece.process.kill("SIGKILL");
  await piece.end();
});

Deno.test("listenForStop() ends at once on a second signal", async () => {
  // Time is ours: two signals at one time are one.
  const piece = startPiece(`
    let nowMs = 0;
    performance.now = () => nowMs += 10_000;
    ${STOPPED}
  `);
  await piece.untilPrinted("ready\n");
  piece.process.kill("SIGINT");
  await piece.untilPrinted("stop on SIGINT\n");
  piece.process.kill("SIGTERM");
  const { code, stdout } = await piece.end();
  assert.equal(code, 130);
  assert.match(stdout, /\nforced\n$/);
});

Deno.test("listenForStop() takes two signals at once for one", async () => {
  const piece = startPiece(`
    performance.now = () => 0;
    ${STOPPED}
    Deno.addSignalListener("SIGINT", () => terminal.print("again"));
    terminal.print("listening");
  `);
  await piece.untilPrinted("ready\n");
  piece.process.kill("SIGINT");
  await piece.untilPrinted("listening\n");
  piece.process.kill("SIGINT");
  await piece.untilPrinted("again\n");
  piece.process.kill("SIGKILL");
  const { stdout } = await piece.end();
  assert.doesNotMatch(stdout, /forced/);
});

Deno.test("request() stops; a first signal after it does not force", async () => {
  const piece = startPiece(`
    ${STOPPED.replace('terminal.print("ready")', 'stop.request("time")')}
    Deno.addSignalListener("SIGINT", () => terminal.print("signal"));
    terminal.print("listening");
  `);
  await piece.untilPrinted("stop on time\nlistening\n");
  piece.process.kill("SIGINT");
  await piece.untilPrinted("signal\n");
  piece.process.kill("SIGKILL");
  assert.doesNotMatch((await piece.end()).stdout, /forced/);
});

Deno.test("whenAborted() gives the reason, before and after", async () => {
  const controller = new AbortController();
  const before = whenAborted(controller.signal);
  controller.abort("SIGTERM");
  assert.equal(await before, "SIGTERM");
  assert.equal(await whenAborted(controller.signal), "SIGTERM");
});
