/** The runtime gate, on the pinned Deno and on some that are broken. */
import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };
import { start } from "./programs.ts";

const PIN = config.toolVersions.deno;

/** Runs the quick gate. */
async function gate(
  versions: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string; leftovers: readonly string[] }> {
  const run = start(
    Deno.execPath(),
    ["run", "-q", "-P=build", "tools/gate_runtime.ts", "--quick", ...versions],
    env,
  );
  const code = await run.ended;
  return { code, text: run.text(), leftovers: run.leftovers() };
}

/** A Deno that says it is 9.9.9, and does what `script` says. */
async function withFakeDeno(
  script: string,
  work: (env: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "gate-test-" });
  const path = `${folder}/deno`;
  const text = `#!/bin/sh
real="${Deno.execPath()}"
[ "$1" = --version ] && { echo "deno 9.9.9"; exit 0; }
${script}
`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  try {
    await work({ DENO_9_9_9: path });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the pinned Deno passes the quick gate", async () => {
  const { code, text, leftovers } = await gate([]);
  assert.match(
    text,
    new RegExp(`^${PIN.replaceAll(".", "\\.")} +ok +ok +ok$`, "m"),
  );
  assert.equal(code, 0);
  assert.deepEqual(leftovers, []);
});

Deno.test("a Deno whose server dies when a client closes fails", async () => {
  await withFakeDeno(
    `case "$*" in
  *--help* | *driver.ts | *probe.ts*) exec "$real" "$@" ;;
  *server.ts*) echo $$ > "$0.pid"; exec "$real" "$@" ;;
esac
"$real" "$@"; code=$?
kill -KILL "$(cat "$0.pid")"
exit $code`,
    async (env) => {
      const { code, text, leftovers } = await gate(["9.9.9"], env);
      assert.match(text, /^9\.9\.9 +FAILED +FAILED +ok$/m);
      assert.match(
        text,
        // Whether the next client still starts depends on who is faster.
        /^9\.9\.9 {2}closing clients: server exit 137 \(SIGKILL\);.* at client [12] of 3$/m,
      );
      assert.equal(code, 1);
      assert.deepEqual(leftovers, []);
    },
  );
});

Deno.test("a Deno that does not end a connection it closes fails", async () => {
  await withFakeDeno(
    `case "$*" in *"probe.ts read") echo false; exit 0 ;; esac
exec "$real" "$@"`,
    async (env) => {
      const { code, text } = await gate(["9.9.9"], env);
      assert.match(text, /^9\.9\.9 +ok +ok +FAILED$/m);
      assert.match(
        text,
        /^9\.9\.9 {2}close while read: a connection closed during a read does not end$/m,
      );
      assert.equal(code, 1);
    },
  );
});

Deno.test("a Deno that does not run our code is told apart", async () => {
  await withFakeDeno(
    'echo "error: no such import" >&2; exit 1',
    async (env) => {
      const { code, text, leftovers } = await gate(["9.9.9"], env);
      assert.match(
        text,
        /does not run our code, so nothing was tested: src\/server\.ts exit 1: error: no such import/,
      );
      assert.match(text, /^9\.9\.9( +not run){3}$/m);
      assert.equal(code, 1);
      assert.deepEqual(leftovers, []);
    },
  );
});

Deno.test("the gate refuses what is no version", async () => {
  const { code, text } = await gate(["latest", "2.8"]);
  assert.match(text, /"latest" is not a version of Deno/);
  assert.match(text, /"2\.8" is not a version of Deno/);
  assert.equal(code, 2);
});

Deno.test("the gate leaves nothing when it is interrupted", async () => {
  const run = start(
    Deno.execPath(),
    ["run", "-q", "-P=build", "tools/gate_runtime.ts", "--quick"],
  );
  await run.printed(/closing clients ok/);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 130);
  assert.match(run.text(), /interrupted before the checks finished/);
  assert.deepEqual(run.leftovers(), []);
});
