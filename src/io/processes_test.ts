import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { onChildrenChange } from "./child.ts";
import { runToEnd } from "./processes.ts";

/** A temporary folder that is gone after the test. */
async function makeTempFolder(): Promise<AsyncDisposable & { folder: string }> {
  const folder = await Deno.makeTempDir({ prefix: "processes-test-" });
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("runToEnd() returns the exit code and both outputs", async () => {
  const result = await runToEnd(
    "sh",
    ["-c", 'echo "$WORD"; pwd >&2; exit 3'],
    { env: { WORD: "out" }, cwd: "/" },
  );
  assert.deepEqual(result, { code: 3, stdout: "out\n", stderr: "/\n" });
});

for (
  const [command, why] of [
    ["no-such-program", "it is not on PATH"],
    ["/no/such/program", "it is not there"],
    ["/dev/null", "it is not executable for this user"],
  ] as const
) {
  Deno.test(`runToEnd() fails when ${command} cannot be run`, async () => {
    await assert.rejects(runToEnd(command, []), {
      name: "Failure",
      kind: "environment",
      message: `"${command}" cannot be run: ${why}`,
    });
  });
}

Deno.test("runToEnd() ends what takes too long, and its children", async () => {
  await using temp = await makeTempFolder();
  const outlived = join(temp.folder, "outlived");
  await assert.rejects(
    runToEnd("sh", ["-c", `(sleep 2; : > "${outlived}"); exit 1`], {
      timeoutMs: 50,
    }),
    { name: "Failure", message: '"sh" did not end within 50 ms' },
  );
  assert.equal(existsSync(outlived), false);
});

Deno.test("runToEnd() starts nothing when it is already aborted", async () => {
  await assert.rejects(
    runToEnd("no-such-program", [], { signal: AbortSignal.abort() }),
    {
      name: "Failure",
      kind: "interrupted",
      message: 'interrupted while "no-such-program" ran',
    },
  );
});

Deno.test("runToEnd() is too brief for who is told of children", async () => {
  const told: (readonly number[])[] = [];
  onChildrenChange((pids) => told.push(pids));
  await runToEnd("true", []);
  onChildrenChange(() => {});
  assert.deepEqual(told, []);
});

for (
  const [end, code] of [
    ["Deno.exit(0)", 0],
    ['Deno.kill(Deno.pid, "SIGKILL")', 137],
  ] as const
) {
  Deno.test(`runToEnd() leaves no child after ${end}`, async () => {
    await using temp = await makeTempFolder();
    const outlived = join(temp.folder, "outlived");
    const pipe = join(temp.folder, "pipe");
    const started = join(temp.folder, "started");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const script = `exec 3> "${pipe}"; : > "${started}"; ` +
      `(sleep 2; : > "${outlived}"); exit 1`;
    const source = `
      import { existsSync } from "node:fs";
      import { runToEnd } from "${new URL("./processes.ts", import.meta.url)}";
      runToEnd("sh", ["-c", ${JSON.stringify(script)}]);
      setInterval(() => existsSync("${started}") && ${end}, 5);
    `;
    const program = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", source],
    }).spawn();
    // The pipe is read to its end only when all that hold it have ended.
    await Deno.readTextFile(pipe);
    assert.equal((await program.status).code, code);
    assert.equal(existsSync(outlived), false);
  });
}
