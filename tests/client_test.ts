/** The client as a program: what it prints, counts and survives. */
import assert from "node:assert/strict";
import { startSource } from "./programs.ts";
import { callMany, freePort, withStack } from "./stacks.ts";

interface JsonLine {
  readonly type: "call" | "news" | "summary";
  readonly kind?: string;
  readonly server?: string;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly shares?: readonly {
    readonly server: string;
    readonly calls: number;
  }[];
  readonly latencyMs?: unknown;
}

Deno.test("the client goes on when its server restarts, and says so", async () => {
  const port = freePort();
  const serverArgs = ["--port", String(port), "--name", "s"];
  const first = startSource("server", serverArgs);
  await first.printed(/serving on/);
  const client = startSource("client", [
    ...["--target", `127.0.0.1:${port}`, "--rate", "20"],
  ]);
  await client.printed(/call 5 +s +reply/);
  first.process.kill("SIGKILL");
  await client.printed(/UNAVAILABLE.*\nno answer; going on/);
  const second = startSource("server", serverArgs);
  await client.printed(/answered again after \d+\.\d s/);
  client.process.kill("SIGINT");
  assert.equal(await client.ended, 0);
  assert.match(client.text(), /\d+ calls, \d+ succeeded, [1-9]\d* failed/);
  assert.match(client.text(), /UNAVAILABLE +\d+$/m);
  second.process.kill("SIGTERM");
  assert.equal(await second.ended, 0);
  assert.deepEqual([...client.leftovers(), ...second.leftovers()], []);
});

Deno.test("the client goes on when Envoy restarts; servers notice nothing", async () => {
  await withStack({}, async (stack, lines) => {
    const client = startSource("client", [
      ...["--target", stack.endpoint, "--rate", "50"],
    ]);
    await client.printed(/call 20 /);
    await stack.envoy.stop("SIGKILL");
    await client.printed(/no answer; going on/);
    await stack.envoy.start();
    await client.printed(/answered again after/);
    client.process.kill("SIGINT");
    assert.equal(await client.ended, 0);
    assert.deepEqual(lines.filter((line) => /ended|peer/.test(line)), []);
    const after = await callMany(stack.endpoint, 30);
    assert.deepEqual([...after.errors], []);
  });
});

Deno.test("--json prints a line a call and a summary that adds up", async () => {
  await withStack({}, async (stack) => {
    const client = startSource("client", [
      ...["--target", stack.endpoint, "--rate", "100", "--count", "30"],
      "--json",
    ]);
    assert.equal(await client.ended, 0);
    const lines = client.text().trim().split("\n")
      .map((line) => JSON.parse(line) as JsonLine);
    const calls = lines.filter(({ type }) => type === "call");
    const summary = lines.at(-1);
    assert.equal(calls.length, 30);
    assert.equal(summary?.type, "summary");
    assert.deepEqual([summary?.succeeded, summary?.failed], [30, 0]);
    assert.deepEqual(
      summary?.shares?.map(({ server, calls }) => [server, calls]),
      [["server-1", 10], ["server-2", 10], ["server-3", 10]],
    );
  });
});

Deno.test("a deadline ends every call", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    const client = startSource("client", [
      ...["--target", stack.endpoint, "--rate", "20", "--count", "3"],
      ...["--work", "5000", "--deadline", "100"],
    ]);
    assert.equal(await client.ended, 1);
    assert.match(client.text(), /DEADLINE_EXCEEDED +3$/m);
  });
});
