/** However `up` ends: in order where it can, and what is left is known. */
import assert from "node:assert/strict";
import { findTool } from "../src/io/tools.ts";
import { waitUntil } from "../src/io/wait.ts";
import { copyProject, type Run, start, startSource } from "./programs.ts";
import { freePort } from "./stacks.ts";

function portFlags(): readonly string[] {
  return [
    ...["--port", String(freePort()), "--admin-port", String(freePort())],
    ...["--server-port", String(freePort()), "--servers", "2"],
  ];
}

/** As users type it: `deno task` stands between the shell and the program. */
function typedUp(before: readonly string[] = []): Run {
  const [command = "", ...args] = [...before, "./denow", "task", "up"];
  return start(command, [...args, ...portFlags()]);
}

/** The id of the process of a run whose command line has the words. */
function pidOf(run: Run, words: string): number {
  const line = run.leftovers().find((line) => line.includes(words));
  assert.ok(line, `no "${words}" in ${run.leftovers().join("\n")}`);
  return Number(line.split(" ")[0]);
}

/** Resolves when nothing of the run is left. */
async function allEnded(run: Run): Promise<void> {
  await waitUntil(() => run.leftovers().length === 0, 10_000);
  assert.deepEqual(run.leftovers(), []);
}

for (
  const signal of [
    // All others are sent to a smaller program: src/io/program_test.ts.
    ...["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"],
  ] as const
) {
  Deno.test(`./denow task up stops in order on ${signal}`, async () => {
    // The tests themselves may have been started with nohup.
    const run = typedUp(
      ["env", "--unset=GRPC_DEMO_NOHUP", "--default-signal=HUP"],
    );
    await run.printed(/call 1 /);
    run.process.kill(signal);
    assert.equal(await run.ended, 0, run.text());
    assert.match(run.text(), new RegExp(`stopping on ${signal}$`, "m"));
    assert.match(run.text(), /up +\| stopped in order/);
    assert.deepEqual(run.leftovers(), []);
  });
}

Deno.test("up goes on at signals that do not ask it to stop", async () => {
  const run = startSource("lab", ["up", ...portFlags()]);
  await run.printed(/call 1 /);
  for (const signal of ["SIGPIPE", "SIGWINCH", "SIGCONT", "SIGCHLD"] as const) {
    run.process.kill(signal);
  }
  await run.printed(/call 3 /);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(run.leftovers(), []);
});

for (
  const [what, before] of [
    ["./denow task up", ["./denow", "task", "up"]],
    ["the program", [Deno.execPath(), "run", "-P=lab", "src/lab.ts", "up"]],
  ] as const
) {
  Deno.test(`nohup ${what} goes on at SIGHUP`, async () => {
    const run = start("nohup", [...before, ...portFlags()]);
    await run.printed(/call 1 /);
    run.process.kill("SIGHUP");
    await run.printed(/call 4 /);
    run.process.kill("SIGTERM");
    assert.equal(await run.ended, 0, run.text());
    assert.match(run.text(), /stopping on SIGTERM/);
    assert.deepEqual(run.leftovers(), []);
  });
}

Deno.test("up that is killed leaves nothing, and the next one starts", async () => {
  const flags = portFlags();
  const killed = startSource("lab", ["up", ...flags]);
  await killed.printed(/call 1 /);
  const [, baseId = ""] = /--base-id (\d+)/.exec(killed.leftovers().join()) ??
    [];
  const shared = `/dev/shm/envoy_shared_memory_${baseId}0`;
  await Deno.stat(shared); // Throws when Envoy has put it elsewhere.
  killed.process.kill("SIGKILL");
  await allEnded(killed);
  const next = startSource("lab", ["up", ...flags]);
  await next.printed(/call 1 /);
  await assert.rejects(Deno.stat(shared), Deno.errors.NotFound);
  next.process.kill("SIGINT");
  assert.equal(await next.ended, 0, next.text());
  assert.deepEqual(next.leftovers(), []);
});

/**
 * A lab in a folder of its own, with run files of its own: a `down` of another
 * test would end what is left on purpose.
 */
async function makePlace(): Promise<{
  readonly lab: (args: readonly string[], env?: { PATH: string }) => Run;
  readonly remove: () => Promise<void>;
}> {
  const folder = await Deno.makeTempDir({ prefix: "up-ends-test-" });
  await copyProject(folder);
  const { path } = await findTool("envoy");
  return {
    lab: (args, env) =>
      start("/bin/sh", [
        ...["-c", 'cd "$0" && exec "$@"', folder, Deno.execPath(), "run"],
        ...["-q", "-P=lab", "src/lab.ts", ...args],
      ], { ENVOY: path, ...env }),
    remove: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("what a killed up has left is known, and --replace or down ends it", async () => {
  const { lab, remove } = await makePlace();
  const flags = portFlags();
  const leave = async () => {
    const killed = lab(["up", "--no-client", ...flags]);
    await killed.printed(/ready/);
    // It would end them, so it is killed first.
    Deno.kill(pidOf(killed, "while read"), "SIGKILL");
    killed.process.kill("SIGKILL");
    // An Envoy that can be replaced ends by itself when its parent has gone.
    await waitUntil(() => killed.leftovers().length === 2, 10_000);
    const left = killed.leftovers().map((line) => line.split(" ")[0] ?? "");
    assert.equal(left.length, 2, killed.leftovers().join("\n"));
    return { killed, pids: left.sort() };
  };

  const first = await leave();
  const refused = lab(["up", ...flags]);
  assert.equal(await refused.ended, 3, refused.text());
  const sentence =
    /^up: Processes ([\d, ]+) are left of the `up` of .*, which was killed, and may hold ports .*; end them with --replace\n$/;
  const [, pids = ""] = sentence.exec(refused.text()) ?? [];
  assert.deepEqual(pids.split(", ").sort(), first.pids, refused.text());
  assert.equal(first.killed.leftovers().length, 2);
  const next = lab(["up", "--replace", ...flags]);
  await next.printed(/call 1 /);
  assert.deepEqual(first.killed.leftovers(), []);
  next.process.kill("SIGINT");
  assert.equal(await next.ended, 0, next.text());
  assert.deepEqual(next.leftovers(), []);

  const second = await leave();
  const down = lab(["down"], { PATH: "/nonexistent" }); // Without Docker.
  assert.equal(await down.ended, 0, down.text());
  assert.match(down.text(), /^Ended processes [\d, ]+ of the `up` of .*\n$/);
  assert.deepEqual(second.killed.leftovers(), []);
  await remove();
});

Deno.test("up --replace does not touch an up that runs", async () => {
  const flags = portFlags();
  const running = startSource("lab", ["up", ...flags]);
  await running.printed(/call 1 /);
  const refused = startSource("lab", ["up", "--replace", ...flags]);
  assert.equal(await refused.ended, 3, refused.text());
  assert.match(
    refused.text(),
    new RegExp(
      `^up: Another \`up\` runs on ports .* \\(process ` +
        `${running.process.pid}, since .*\\); stop it with Ctrl-C`,
      "m",
    ),
  );
  await running.printed(/call 3 /);
  running.process.kill("SIGINT");
  assert.equal(await running.ended, 0);
  assert.match(running.text(), / 0 failed/);
  assert.doesNotMatch(running.text(), /ended unexpectedly/);
  assert.deepEqual(running.leftovers(), []);
});
