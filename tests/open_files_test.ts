/** A server that may open no more files accepts again when it may. */
import assert from "node:assert/strict";
import { waitUntil } from "../src/io/wait.ts";
import { type Run, start } from "./programs.ts";
import { callMany, freePort } from "./stacks.ts";
import { pause } from "../src/io/wait.ts";

/** What a shell lets the server have; it needs a third of them itself. */
const OPEN_FILES_MAX = 64;

/** Twice as many as there can be. */
const CONNECTIONS = 120;

/** Starts a server of this source with few files. */
function startWithFewFiles(source: string, port: number): Run {
  return start("sh", [
    ...["-c", `ulimit -n ${OPEN_FILES_MAX}; exec "$@"`, "sh"],
    ...[Deno.execPath(), "run", "-q", "-P=server", source],
    ...["--port", String(port), "--name", "s"],
  ]);
}

/** Connects more often than the server has files for, and leaves. */
async function fill(port: number, onFull: () => Promise<void>): Promise<void> {
  const open: Deno.Conn[] = [];
  try {
    for (let count = 0; count < CONNECTIONS; count += 1) {
      open.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    }
    await onFull();
  } finally {
    open.forEach((connection) => connection.close());
  }
}

/** What a server has said about connections that it cannot accept. */
function complaints(run: Run): readonly string[] {
  return run.text().split("\n")
    .filter((line) => line.includes("cannot accept a connection"));
}

Deno.test("a server out of files says so once, and accepts again", async () => {
  const port = freePort();
  const run = startWithFewFiles("src/server.ts", port);
  await run.printed(/serving on/);
  await fill(port, async () => {
    assert.ok(
      await waitUntil(() => complaints(run).length > 0, 10_000),
      run.text(),
    );
  });
  const { servers, errors } = await callMany(`127.0.0.1:${port}`, 20);
  assert.deepEqual([[...servers], [...errors]], [[["s", 20]], []]);
  // At most one line a second, however often it was tried.
  assert.match(complaints(run)[0] ?? "", /^s: .*; retrying/);
  assert.ok(complaints(run).length <= 3, run.text());
  run.process.kill("SIGTERM");
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("control: a server on node:http2 never accepts again", async () => {
  const port = freePort();
  const source = "experiments/control/plain_server.ts";
  const run = startWithFewFiles(source, port);
  await run.printed(/serving on/);
  await fill(port, () => pause(1000));
  const { servers, errors } = await callMany(`127.0.0.1:${port}`, 5);
  assert.deepEqual([...servers], []);
  assert.ok([...errors.keys()].every((text) => /DEADLINE/.test(text)));
  assert.deepEqual(complaints(run), []);
  run.process.kill("SIGTERM");
  assert.equal(await run.ended, 0, run.text());
});
