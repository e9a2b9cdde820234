import assert from "node:assert/strict";
import {
  awaitExit,
  type Child,
  type ExitStatus,
  exitWords,
  startChild,
} from "./child.ts";

function startShell(
  script: string,
  onLine: (line: string) => void = () => {},
): Child {
  return startChild({ command: "sh", args: ["-c", script], onLine });
}

/** Runs a script to its end. */
async function runShell(
  script: string,
): Promise<{ readonly lines: readonly string[]; readonly status: ExitStatus }> {
  const lines: string[] = [];
  const child = startShell(script, (line) => void lines.push(line));
  return { status: await child.exited, lines };
}

for (
  const [why, script, lines] of [
    ["each line", "echo one; echo two", ["one", "two"]],
    ["a last line without its end", "printf 'one\\ntwo'", ["one", "two"]],
    ["an empty line", "printf 'one\\n\\ntwo\\n'", ["one", "", "two"]],
    ["nothing of a program that prints nothing", ":", []],
    ["what it says on standard error", "echo no >&2", ["no"]],
    [
      "a line that comes in parts, in the middle of a letter",
      "printf '\\303'; sleep 0.05; printf '\\274ber\\n'",
      ["über"],
    ],
    [
      "no control character",
      "printf '\\033]0;title\\007a\\rb\\r\\n'",
      ["\\u{1b}]0;title\\u{7}a\\u{d}b"],
    ],
    [
      "the beginning of a line that is too long, and the next line",
      "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo next",
      [`${"x".repeat(4096)}…`, "next"],
    ],
    [
      "all of a line that is just not too long",
      "head -c 4096 /dev/zero | tr '\\0' x; echo",
      ["x".repeat(4096)],
    ],
  ] as const
) {
  Deno.test(`startChild() hands on ${why}`, async () => {
    assert.deepEqual((await runShell(script)).lines, lines);
  });
}

Deno.test("startChild() does not wait for the end of a line without one", async () => {
  const lines: string[] = [];
  const child = startShell(
    "head -c 5000 /dev/zero | tr '\\0' x; exec cat /dev/zero",
    (line) => {
      lines.push(line);
      child.kill("SIGKILL");
    },
  );
  assert.equal((await child.exited).signal, "SIGKILL");
  assert.deepEqual(lines, [`${"x".repeat(4096)}…`]);
});

for (
  const [script, status, words] of [
    ["exit 0", { code: 0, signal: null }, "exit code 0"],
    ["exit 7", { code: 7, signal: null }, "exit code 7"],
    ["kill -9 $$", { code: 137, signal: "SIGKILL" }, "SIGKILL"],
  ] as const
) {
  Deno.test(`exited tells how "${script}" ended`, async () => {
    const { status: found } = await runShell(script);
    assert.deepEqual(found, status);
    assert.equal(exitWords(found), words);
  });
}

Deno.test("startChild() adds variables and starts in a folder", async () => {
  const lines: string[] = [];
  const child = startChild({
    command: "sh",
    args: ["-c", 'echo "$WORD $(pwd)"'],
    env: { WORD: "word" },
    cwd: "/",
    onLine: (line) => lines.push(line),
  });
  await child.exited;
  assert.deepEqual(lines, ["word /"]);
});

for (
  const [command, why] of [
    ["no-such-program", "it is not on PATH"],
    ["/no/such/program", "it is not there"],
    ["/dev/null", "it is not executable for this user"],
  ] as const
) {
  Deno.test(`startChild() says that ${command} cannot be run`, () => {
    assert.throws(() => startChild({ command, args: [], onLine: () => {} }), {
      name: "Failure",
      kind: "environment",
      message: `"${command}" cannot be run: ${why}`,
    });
  });
}

Deno.test("startChild() starts a process group, out of Ctrl-C's reach", async () => {
  const { lines } = await runShell("echo $$; cut -d ' ' -f 5 /proc/$$/stat");
  assert.equal(lines.length, 2);
  assert.equal(lines[0], lines[1]);
});

Deno.test("kill() sends a signal, and does nothing once it has ended", async () => {
  const child = startShell("exec sleep 60");
  assert.equal(child.isRunning, true);
  child.kill("SIGKILL");
  assert.deepEqual((await child.exited).signal, "SIGKILL");
  assert.equal(child.isRunning, false);
  child.kill("SIGKILL");
});

Deno.test("awaitExit() returns the status of what ends by itself", async () => {
  const child = startShell("exit 3");
  assert.deepEqual(await awaitExit(child, 60_000), { code: 3, signal: null });
});

Deno.test("awaitExit() kills what does not end in time", async () => {
  const child = startShell("exec sleep 60");
  assert.equal((await awaitExit(child, 20)).signal, "SIGKILL");
});

for (const end of ["Deno.exit(0)", 'Deno.kill(Deno.pid, "SIGKILL")']) {
  Deno.test(`no child, nor a child of it, outlives ${end}`, async () => {
    // The pipe is read to its end only when all that hold it have ended.
    const folder = await Deno.makeTempDir({ prefix: "child-test-" });
    const pipe = `${folder}/pipe`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const code = `
      import { startChild } from "${new URL("./child.ts", import.meta.url)}";
      startChild({
        command: "sh",
        args: ["-c", 'exec 3> "${pipe}"; sleep 30 & echo ready; wait'],
        onLine: () => { ${end}; },
      });
      setInterval(() => {}, 60_000);
    `;
    const startedAtMs = performance.now();
    const program = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", code],
    }).spawn();
    await Deno.readTextFile(pipe);
    assert.ok(performance.now() - startedAtMs < 20_000, "they lived on");
    await program.status;
    await Deno.remove(folder, { recursive: true });
  });
}
