/** What k6's scripts are told, and what peers tell them. */
import { Metadata, Server, type ServerUnaryCall } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { listen } from "../src/io/_listen.ts";
import { Greeter, SERVER_NAME_HEADER } from "../src/io/proto.ts";
import { runToEnd } from "../src/io/processes.ts";
import { findTool } from "../src/io/tools.ts";
import { ABORTED, run } from "./load_runs.ts";

Deno.test("wrong settings stop the run in one sentence that has them all", async () => {
  const { code, output } = await run("grpc.js", "nowhere", {
    RATE: "fast",
    TOLERANCE: "1",
    DURATION: "30",
    WARMPU: "1s",
  });
  assert.equal(code, ABORTED, output);
  assert.equal(output.trim().split("\n").length, 1, output);
  for (const name of ["TARGET", "RATE", "TOLERANCE", "DURATION"]) {
    assert.match(output, new RegExp(`${name} must be .*, not`));
  }
  assert.match(output, /WARMPU is not a setting; did you mean WARMUP\?/);
});

Deno.test("k6 -e is read as the environment is", async () => {
  const k6 = await findTool("k6");
  const { code, stderr } = await runToEnd(k6.path, [
    ...["run", "--address=", "--quiet", "-e", "RATE=0"],
    ...["-e", "SERVRS=2", "loadtest/grpc.js"],
  ]);
  assert.equal(code, ABORTED, stderr);
  assert.match(stderr, /RATE must be a whole number from 1 to 20000, not/);
  assert.match(stderr, /SERVRS is not a setting; did you mean SERVERS\?/);
});

/** Answers SayHello as `answer` does, while `use` runs. */
async function withPeer(
  host: string,
  answer: (
    call: ServerUnaryCall<unknown, unknown>,
    done: (error: object | null, reply?: object) => void,
  ) => void,
  use: (target: string) => Promise<void>,
): Promise<void> {
  const server = new Server();
  server.addService(Greeter.service, { SayHello: answer });
  try {
    await use(`${host}:${await listen(server, host, 0)}`);
  } finally {
    server.forceShutdown();
  }
}

Deno.test("an IPv6 target is loaded and printed", async () => {
  await withPeer("[::1]", (call, done) => {
    const headers = new Metadata();
    headers.set(SERVER_NAME_HEADER, "n".repeat(500));
    call.sendMetadata(headers);
    done(null, {});
  }, async (target) => {
    const { code, output } = await run("grpc.js", target, { SERVERS: "1" });
    assert.equal(code, 0, output);
    assert.ok(output.includes(`${target}, 150 calls/s`), output);
    // A name is cut where it is too long for a table.
    assert.ok(output.includes(`${"n".repeat(100)}…`), output);
    assert.ok(!output.includes("n".repeat(101)), output);
  });
});

Deno.test("k6 prints no control character of a peer, nor all that it sends", async () => {
  const details = `\x1b[2J\u202e${"long ".repeat(500)}`;
  await withPeer("127.0.0.1", (_, done) => {
    done({ code: 99, details });
  }, async (target) => {
    const { code, output } = await run("grpc.js", target, { SERVERS: "1" });
    assert.equal(code, ABORTED, output);
    assert.match(output, /must succeed: .*\\u\{1b\}\[2J\\u\{202e\}long/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(output, /\x1b|\u202e/);
    assert.ok(output.length < 1000, String(output.length));
  });
});
