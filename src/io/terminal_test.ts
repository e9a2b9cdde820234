import assert from "node:assert/strict";
import { startPiece } from "./_run.ts";

Deno.test("print() and printError() write lines to their own streams", async () => {
  const { stdout, stderr } = await startPiece(`
    terminal.print("one");
    terminal.printError("two");
    terminal.print("über 3");
  `).end();
  assert.deepEqual([stdout, stderr], ["one\nüber 3\n", "two\n"]);
});

Deno.test("print() writes all of a line that does not fit into a pipe", async () => {
  const { stdout } = await startPiece(
    'terminal.print("x".repeat(1_000_000));',
  ).end();
  assert.equal(stdout, `${"x".repeat(1_000_000)}\n`);
});

Deno.test("print() writes on where a write has stopped", async () => {
  const { stdout } = await startPiece(`
    const write = Deno.stdout.writeSync.bind(Deno.stdout);
    Deno.stdout.writeSync = (bytes) => write(bytes.subarray(0, 2));
    terminal.print("a line in parts");
  `).end();
  assert.equal(stdout, "a line in parts\n");
});

/** Prints until it is ended. */
const PRINT_ON = `
  terminal.print("ready");
  setInterval(() => terminal.print("more"), 1);
`;

Deno.test("print() ends the program quietly when its reader has gone", async () => {
  const piece = startPiece(PRINT_ON);
  await piece.untilPrinted("ready\n");
  await piece.closeOutput();
  const { code } = await piece.process.status;
  assert.equal(code, 0);
  assert.equal((await piece.end()).stderr, "");
});

Deno.test("onOutputClosed() is told once; later lines are dropped", async () => {
  const piece = startPiece(`
    let told = 0;
    terminal.onOutputClosed(() => {
      told += 1;
      terminal.print("nobody reads this");
      setTimeout(() => Deno.exit(10 + told), 20);
    });
    ${PRINT_ON}
  `);
  await piece.untilPrinted("ready\n");
  await piece.closeOutput();
  assert.equal((await piece.process.status).code, 11);
  assert.equal((await piece.end()).stderr, "");
});

Deno.test("print() fails with one sentence when a disk is full", async () => {
  const { code, stderr } = await startPiece(`
    const device = Deno.openSync("/dev/full", { write: true });
    Deno.stdout.writeSync = (bytes) => device.writeSync(bytes);
    await program.runProgram("tool", async () => {
      terminal.print("one");
      return 0;
    });
  `).end();
  assert.equal(code, 3);
  assert.equal(
    stderr,
    "tool: Cannot write to standard output: No space left on device " +
      "(os error 28); redirect it elsewhere\n",
  );
});

Deno.test("print() takes a terminal that was hung up for a reader that has gone", async () => {
  const { code, stdout } = await startPiece(`
    Deno.stdout.writeSync = () => {
      throw Object.assign(new Error("Input/output error"), { code: "EIO" });
    };
    terminal.onOutputClosed(() => Deno.exit(7));
    terminal.print("one");
  `).end();
  assert.deepEqual([code, stdout], [7, ""]);
});

Deno.test("paint() leaves text alone in a pipe", async () => {
  const { stdout } = await startPiece(
    'terminal.print(terminal.paint("red", "text"));',
  ).end();
  assert.equal(stdout, "text\n");
});

Deno.test("paint() colours text on a terminal, unless NO_COLOR is set", async () => {
  const { stdout } = await startPiece(`
    Deno.stdout.isTerminal = () => true;
    terminal.print(terminal.paint("red", "plain"));
    Object.defineProperty(Deno, "noColor", { value: false });
    terminal.print(terminal.paint("red", "text"));
  `).end();
  assert.equal(stdout, "plain\n\x1b[31mtext\x1b[0m\n");
});

for (
  const [typed, answer] of [
    ["y\n", true],
    ["YES\n", true],
    ["n\n", false],
    ["\n", false],
    ["yesterday\n", false],
    ["", false],
  ] as const
) {
  Deno.test(`ask() takes ${JSON.stringify(typed)} for ${answer}`, async () => {
    const { stdout } = await startPiece(`
      Deno.stdin.isTerminal = Deno.stdout.isTerminal = () => true;
      const readable = new Blob([${JSON.stringify(typed)}]).stream();
      Object.defineProperty(Deno.stdin, "readable", { value: readable });
      const { signal } = new AbortController();
      terminal.print(String(await terminal.ask("Really?", signal)));
    `).end();
    assert.equal(stdout, `Really? [y/N] ${answer}\n`);
  });
}

Deno.test("ask() gives up when it is asked to stop, and asks no pipe", async () => {
  const { stdout } = await startPiece(`
    const { signal } = new AbortController();
    terminal.print(String(await terminal.ask("Really?", signal)));
    Deno.stdin.isTerminal = Deno.stdout.isTerminal = () => true;
    const readable = new ReadableStream();
    Object.defineProperty(Deno.stdin, "readable", { value: readable });
    const stop = AbortSignal.timeout(1);
    terminal.print(String(await terminal.ask("Really?", stop)));
  `).end();
  assert.equal(stdout, "undefined\nReally? [y/N] false\n");
});
