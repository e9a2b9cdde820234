import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { TYPE } from "../core/http2_wire.ts";
import { framesIn } from "../io/http2_frames.ts";
import { Admin } from "../io/proto.ts";
import { callUnary } from "../io/rpc.ts";
import { Fixture, until } from "./_fixture.ts";

const HELLO_DEADLINE = { deadlineMs: 10_000 };

Deno.test("startServer() fails when the port is taken", async () => {
  await using fixture = await Fixture.start();
  const { port } = fixture.server;
  await assert.rejects(Fixture.start({ port }), {
    name: "Failure",
    kind: "environment",
    message: `Cannot listen on 127.0.0.1:${port}: the port is taken; stop ` +
      "what uses it or choose another with --port",
  });
});

Deno.test("startServer() fails on another machine's address", async () => {
  await assert.rejects(Fixture.start({ host: "192.0.2.1" }), {
    name: "Failure",
    message: /^Cannot listen on 192\.0\.2\.1:0: (?!No address added).*--host$/,
  });
});

Deno.test("GetCounters returns the server's counts", async () => {
  await using fixture = await Fixture.start();
  await callUnary(fixture.connect(), "SayHello", {}, HELLO_DEADLINE);
  const reply = await callUnary(
    fixture.connectTo(Admin),
    "GetCounters",
    {},
    HELLO_DEADLINE,
  );
  assert.equal(reply.server, "tested");
  assert.deepEqual(reply.methods, [{
    method: "SayHello",
    started: 1,
    ok: 1,
    failed: 0,
    cancelled: 0,
    inFlight: 0,
    inFlightMax: 1,
  }]);
});

Deno.test("an answer leaves in one write, so that no kill can cut it", async () => {
  await using fixture = await Fixture.start();
  using peer = await Deno.connect({ port: fixture.server.port });
  const prototype = Object.getPrototypeOf(peer) as Deno.TcpConn;
  const { write } = prototype;
  const writes: (readonly number[])[] = [];
  // What servers write passes through here; the client's is Node's.
  prototype.write = function (this: Deno.TcpConn, bytes) {
    writes.push(framesIn(bytes).frames.map(({ type }) => type));
    return write.call(this, bytes);
  };
  try {
    await callUnary(fixture.connect(), "SayHello", {}, HELLO_DEADLINE);
  } finally {
    prototype.write = write;
  }
  const { headers, data } = TYPE;
  const answers = writes.filter((types) => types.includes(headers));
  assert.deepEqual(
    answers.map((types) =>
      types.filter((type) => type === headers || type === data)
    ),
    [[headers, data, headers]],
  );
});

Deno.test("close() lets calls in flight finish, and accepts no new ones", async () => {
  await using fixture = await Fixture.start();
  const answer = callUnary(
    fixture.connect(),
    "SayHello",
    { workMs: 150 },
    HELLO_DEADLINE,
  );
  await until(() => fixture.counters("SayHello")?.inFlight === 1);
  const closed = fixture.server.close();
  await until(() => fixture.lines.length === 2);
  await assert.rejects(
    callUnary(fixture.connect(), "SayHello", {}, HELLO_DEADLINE),
    { code: status.UNAVAILABLE },
  );
  assert.equal((await answer).number, 1);
  await closed;
  assert.deepEqual(fixture.lines, [
    `serving on ${fixture.target}`,
    "closing connections; calls in flight: 1",
  ]);
});

Deno.test("close() cancels the calls still open after the deadline", async () => {
  await using fixture = await Fixture.start({ closeDeadlineMs: 20 });
  const answer = callUnary(
    fixture.connect(),
    "SayHello",
    { workMs: 60_000 },
    HELLO_DEADLINE,
  ).then(() => undefined, (error) => error);
  await until(() => fixture.counters("SayHello")?.inFlight === 1);
  await fixture.server.close();
  assert.ok(
    [status.UNAVAILABLE, status.CANCELLED].includes((await answer).code),
  );
  assert.equal(
    fixture.lines.at(-1),
    "cancelling the calls still open after 20 ms",
  );
  await until(() => fixture.counters("SayHello")?.inFlight === 0);
});
