/** The command `load` as a program. */
import assert from "node:assert/strict";
import { EXIT_CODES } from "../src/core/errors.ts";
import { loadCommand, withFolder } from "./load_commands.ts";
import { ABORTED, CROSSED } from "./load_runs.ts";
import { freePort, withStack } from "./stacks.ts";

/** Flags that keep a stack off the ports of others. */
function ownPorts(grpcPort: number): readonly string[] {
  return [
    ...["--port", String(grpcPort), "--admin-port", String(freePort())],
    ...["--server-port", String(freePort())],
  ];
}

Deno.test("deno task load starts a stack, records, and then reports", async () => {
  const grpcPort = freePort();
  const { code, stdout, stderr } = await loadCommand(ownPorts(grpcPort), {
    VUS: "97",
  });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^The load generator used 0\.\d\d of/m);
  assert.match(
    stdout,
    /^Calls counted by k6: (\d+), .*servers: \1, .*retries: \1$/m,
  );
  assert.match(stdout, /^Calls without Envoy, .* took p95 \d/m);
  // Once each, without colours, as this is no terminal.
  assert.equal(stdout.match(/PASSED: all/g)?.length, 1, stdout);
  assert.equal(stdout.match(/report\.html/g)?.length, 1, stdout);
  assert.ok(!stdout.includes("\x1b"));
  await withFolder(stdout, async (folder) => {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["dashboard.html", "record.json", "report.html"]);
    const record = JSON.parse(
      await Deno.readTextFile(`${folder}/record.json`),
    );
    assert.equal(record.verdict, "held");
    assert.ok(record.report.reference.count > 50);
    const page = await Deno.readTextFile(`${folder}/report.html`);
    assert.match(page, /The load generator used/);
    assert.match(page, /PASSED: all/);
    // Tests that run beside this one may have written it since.
    const latest = await Deno.readTextFile(`${folder}/../latest.html`);
    assert.match(latest, /url=[0-9]+-[0-9]+-[^"]+\/report\.html"/);
  });
  // Nothing is left: the port is free.
  Deno.listen({ hostname: "127.0.0.1", port: grpcPort }).close();
});

Deno.test("deno task load --l4 shows where one connection's calls go", async () => {
  const { code, stdout, stderr } = await loadCommand(
    ["--l4", ...ownPorts(freePort())],
    { BATCH: "50" },
  );
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^server-\d +\d+ +100\.00 % +33\.33 %$/m);
  assert.match(stdout, /all calls stay where it leads: .*; 2 servers got/);
  await withFolder(stdout, () => Promise.resolve());
});

Deno.test("deno task load fails when a server is missing", async () => {
  await withStack({ servers: 2 }, async (stack) => {
    const { code, stdout, stderr } = await loadCommand([], {
      TARGET: stack.endpoint,
      VUS: "97",
    });
    assert.equal(code, CROSSED, stdout + stderr);
    assert.equal(stdout.match(/servers_found: must be/g)?.length, 1, stdout);
    // k6's own word on it is not repeated.
    assert.equal(stderr, "");
    await withFolder(stdout, () => Promise.resolve());
  });
});

Deno.test("deno task load keeps k6's exit code, and its sentence", async () => {
  const target = `[::1]:${freePort()}`;
  const { code, stdout, stderr } = await loadCommand(["breakpoint"], {
    TARGET: target,
  });
  assert.equal(code, ABORTED);
  assert.equal(stdout, "");
  assert.ok(
    stderr.startsWith(`load: Nothing to test at ${target} (connection refu`),
    stderr,
  );
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
});

Deno.test("deno task load refuses wrong settings before it starts anything", async () => {
  const { code, stdout, stderr } = await loadCommand(ownPorts(freePort()), {
    DURATIN: "5s",
    RATE: "0",
  });
  assert.equal(code, EXIT_CODES.usage);
  assert.equal(stdout, "");
  assert.match(stderr, /RATE must be a whole number .*, not "0"/);
  assert.match(stderr, /DURATIN is not a setting; did you mean DURATION\?/);
});

Deno.test("deno task load sets REPORT itself", async () => {
  const { code, stderr } = await loadCommand([], { REPORT: "mine" });
  assert.equal(code, EXIT_CODES.usage);
  assert.match(stderr, /REPORT is set by load and only for plain k6/);
});
