/** Output that cannot be written ends every program in order. */
import assert from "node:assert/strict";
import { ROOT, start } from "./programs.ts";
import { testWhere, whyNotRun } from "./needs.ts";
import { freePort } from "./stacks.ts";

const UP = [
  ...["up", "--servers", "2", "--port", String(freePort())],
  ...["--admin-port", String(freePort()), "--server-port", String(freePort())],
];

const FULL = "Cannot write to standard output: No space left on device " +
  "(os error 28); redirect it elsewhere";

for (
  const [program, args] of [
    ["lab", UP],
    ["lab", ["experiment", "list"]],
    ["lab", ["experiment", "run", "scale-up", "--out", "-"]],
    ["lab", ["up", "--help"]],
    ["server", ["--port", String(freePort())]],
    ["server", ["--version"]],
    ["client", ["--target", `127.0.0.1:${freePort()}`]],
  ] as const
) {
  Deno.test(`${program} ${args.slice(0, 2).join(" ")}, to a full disk, ends`, async () => {
    const run = start("sh", [
      ...["-c", 'exec "$0" "$@" > /dev/full', Deno.execPath()],
      ...["run", "-q", `-P=${program}`, `src/${program}.ts`, ...args],
    ]);
    assert.equal(await run.ended, 3, run.text());
    const name = program === "lab" ? args[0] : program;
    assert.equal(run.text().trimEnd(), `${name}: ${FULL}`);
    assert.deepEqual(run.leftovers(), []);
  });
}

testWhere(
  "the test of a full disk",
  await whyNotRun("unshare", ["-rm", "true"]),
)("up whose disk gets full while it runs stops in order", async () => {
  const folder = await Deno.makeTempDir({ prefix: "output-lost-test-" });
  const script = 'mount -t tmpfs -o size=4k tmpfs "$0" && ' +
    'exec "$@" > "$0/log"';
  const run = start("unshare", [
    ...["-rm", "sh", "-c", script, folder, Deno.execPath()],
    ...["run", "-q", "-P=lab", `${ROOT}src/lab.ts`, ...UP],
  ], { CLIENT_RATE: "10" });
  assert.equal(await run.ended, 3, run.text());
  assert.equal(run.text().trimEnd(), `up: ${FULL}`);
  assert.deepEqual(run.leftovers(), []);
  await Deno.remove(folder);
});
