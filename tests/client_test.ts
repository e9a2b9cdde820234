/** The client as a program: what it prints, counts and survives. */
import assert from "node:assert/strict";
import { type sendUnaryData, Server, type ServiceError } from "@grpc/grpc-js";
import { Greeter } from "../src/io/proto.ts";
import { listen } from "../src/io/_listen.ts";
import { startSource } from "./programs.ts";
import { callMany, freePort, withStack } from "./stacks.ts";
import { pause } from "../src/io/wait.ts";

/** Runs `work` with the port of a server that answers with `outcome`. */
async function withServer(
  outcome: Parameters<sendUnaryData<object>>,
  work: (target: string) => Promise<void>,
): Promise<void> {
  const server = new Server();
  server.addService(Greeter.service, {
    sayHello: (_: unknown, callback: sendUnaryData<object>) =>
      callback(...outcome),
    streamHellos: () => {},
    chat: () => {},
  });
  try {
    await work(`127.0.0.1:${await listen(server, "127.0.0.1", 0)}`);
  } finally {
    server.forceShutdown();
  }
}

/** Forges a line, writes to the clipboard, colours what follows. */
const HOSTILE = "a\ncall 9  b\x1b]52;c;aGk=\x07\x1b[31m\u009b2J\u202e";
const HARMLESS = "a\\u{a}call 9  b\\u{1b}]52;c;aGk=\\u{7}\\u{1b}[31m" +
  "\\u{9b}2J\\u{202e}";

Deno.test("the client prints no control character of a server's name", async () => {
  await withServer([null, { server: HOSTILE, number: 1 }], async (target) => {
    const client = startSource("client", ["--target", target, "--count", "1"]);
    assert.equal(await client.ended, 0);
    const lines = client.text().split("\n");
    assert.equal(
      lines[0]?.replace(/ +[\d.]+ ms$/, " … ms"),
      `call 1      ${HARMLESS}  reply 1 … ms`,
    );
    assert.ok(lines.includes(`${HARMLESS}      1  100.0 %`));
    assert.doesNotMatch(client.text().replaceAll("\n", ""), /\p{C}/u);
  });
});

Deno.test("the client prints no control character of a status, and its name", async () => {
  const status = { code: 13, details: HOSTILE + "x".repeat(3000) };
  await withServer([status as ServiceError], async (target) => {
    const client = startSource("client", ["--target", target, "--count", "1"]);
    assert.equal(await client.ended, 1);
    const [call, news] = client.text().split("\n");
    assert.match(call ?? "", /^call 1 +INTERNAL +.* a\\u\{a\}call 9 .*x…$/);
    assert.ok((call ?? "").length < 700);
    assert.equal(
      news,
      "calls end with INTERNAL; the client keeps calling",
    );
    assert.doesNotMatch(client.text().replaceAll("\n", ""), /\p{C}/u);
  });
});

Deno.test("the client leaves out what it missed while it was paused", async () => {
  await withServer([null, { server: "s", number: 1 }], async (target) => {
    const client = startSource("client", [
      ...["--target", target, "--rate", "50", "--count", "200", "--json"],
    ]);
    await client.printed(/"call":20,/);
    client.process.kill("SIGSTOP");
    const pausedMs = performance.now();
    await pause(5000);
    const before = client.text().split("\n").length;
    client.process.kill("SIGCONT");
    const pauseMs = performance.now() - pausedMs;
    await client.printed(/"news"/);
    await pause(500);
    // A second's calls are made up for, and half a second's are due: about 75.
    // All that were missed would be about 275.
    const burst = client.text().split("\n").length - before;
    assert.ok(burst > 20 && burst < 150, `${burst} calls`);
    assert.equal(await client.ended, 0);
    const { skipped, reachedPerS } = JSON.parse(
      client.text().trim().split("\n").at(-1) ?? "",
    );
    assert.equal(skipped.full, 0);
    const missed = pauseMs / 1000 * 50 - 50;
    assert.ok(Math.abs(skipped.heldUp - missed) < 60, `${skipped.heldUp}`);
    assert.ok(reachedPerS > 10 && reachedPerS < 45, `${reachedPerS}`);
  });
});

Deno.test("the client says that its concurrency is too low for its rate", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    const client = startSource("client", [
      ...["--target", stack.endpoint, "--rate", "1000", "--concurrency", "1"],
      ...["--work", "50", "--duration", "3"],
    ]);
    assert.equal(await client.ended, 0);
    const said = client.text().match(/^the rate is not reached: .*$/gm);
    assert.equal(said?.length, 1);
    const reason = "skipped: 1 in flight is the limit; raise --concurrency " +
      "or lower --rate";
    assert.ok(said?.[0]?.endsWith(reason), client.text());
    assert.match(client.text(), /^rate \d+(\.\d)? of 1000 calls a second$/m);
    assert.match(client.text(), new RegExp(`^\\d+ calls ${reason}$`, "m"));
  });
});

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
  await client.printed(/UNAVAILABLE.*\nunavailable; the client keeps calling/);
  const second = startSource("server", serverArgs);
  await client.printed(/calls succeed again after \d+\.\d s/);
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
    await client.printed(/; the client keeps calling/);
    await stack.envoy.start();
    await client.printed(/calls succeed again after/);
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
