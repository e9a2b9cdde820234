import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { status } from "@grpc/grpc-js";
import { SERVER_NAME_HEADER } from "../io/proto.ts";
import { callBytes, callToEnd, callUnary } from "../io/rpc.ts";
import { Fixture, until } from "./_fixture.ts";
import { createIdentity } from "./greeting.ts";
import { sayHello } from "./say_hello.ts";

const SAY_HELLO = "/demo.v1.Greeter/SayHello";

Deno.test("sayHello() names the server in its reply and in the headers", async () => {
  await using fixture = await Fixture.start();
  const client = fixture.connect();
  for (
    const [name, message, number] of [
      ["Ada", "Hello, Ada!", 1],
      ["", "Hello, world!", 2],
    ] as const
  ) {
    const { reply, headers } = await callToEnd(
      client,
      "SayHello",
      { name },
      { deadlineMs: 10_000 },
    );
    assert.deepEqual(reply, { message, server: "tested", number });
    assert.deepEqual(headers?.get(SERVER_NAME_HEADER), ["tested"]);
  }
});

Deno.test("sayHello() works for work_ms before it answers", async () => {
  await using fixture = await Fixture.start();
  const startedAtMs = performance.now();
  await callUnary(
    fixture.connect(),
    "SayHello",
    { workMs: 60 },
    { deadlineMs: 10_000 },
  );
  assert.ok(performance.now() - startedAtMs >= 59);
});

for (
  const [why, request, details] of [
    [
      "a name of 1025 characters",
      { name: "x".repeat(1025) },
      "characters of name must be from 0 to 1024, not 1025",
    ],
    [
      "a name of 1025 emoji",
      { name: "😀".repeat(1025) },
      "characters of name must be from 0 to 1024, not 1025",
    ],
    [
      "60001 ms of work",
      { workMs: 60_001 },
      "work_ms must be from 0 to 60000, not 60001",
    ],
  ] as const
) {
  Deno.test(`sayHello() refuses ${why}`, async () => {
    await using fixture = await Fixture.start();
    await assert.rejects(
      callUnary(fixture.connect(), "SayHello", request, {
        deadlineMs: 10_000,
      }),
      { code: status.INVALID_ARGUMENT, details },
    );
    assert.equal(fixture.counters("SayHello")?.failed, 1);
  });
}

for (
  const [what, character] of [
    ["letters", "x"],
    ["emoji, of two UTF-16 units each", "😀"],
    ["combining accents", "\u0301"],
  ] as const
) {
  Deno.test(`sayHello() takes a name of 1024 ${what}`, async () => {
    await using fixture = await Fixture.start();
    const name = character.repeat(1024);
    const { message } = await callUnary(
      fixture.connect(),
      "SayHello",
      { name },
      { deadlineMs: 10_000 },
    );
    assert.equal(message, `Hello, ${name}!`);
  });
}

Deno.test({
  name: "sayHello() leaves no timer for a caller that has left",
  sanitizeOps: true,
  fn: () => {
    const call = Object.assign(new EventEmitter(), {
      request: { name: "", workMs: 60_000 },
    });
    sayHello(
      createIdentity("fake"),
      call as unknown as Parameters<typeof sayHello>[1],
      () => assert.fail("answered"),
    );
    call.emit("cancelled", "cancelled");
  },
});

Deno.test("sayHello() stops working for a caller that has left", async () => {
  await using fixture = await Fixture.start();
  const caller = new AbortController();
  const call = callToEnd(fixture.connect(), "SayHello", { workMs: 60_000 }, {
    deadlineMs: 10_000,
    signal: caller.signal,
  });
  await until(() => fixture.counters("SayHello")?.inFlight === 1);
  caller.abort();
  assert.equal((await call).status, "CANCELLED");
  await until(() => fixture.counters("SayHello")?.inFlight === 0);
  assert.deepEqual(fixture.counters("SayHello"), {
    started: 1,
    ok: 0,
    failed: 0,
    cancelled: 1,
    inFlight: 0,
    inFlightMax: 1,
  });
});

Deno.test("a message over the limit is RESOURCE_EXHAUSTED", async () => {
  await using fixture = await Fixture.start({ maxMessageBytes: 2048 });
  await assert.rejects(
    callUnary(fixture.connect(), "SayHello", { name: "x".repeat(2048) }, {
      deadlineMs: 10_000,
    }),
    {
      code: status.RESOURCE_EXHAUSTED,
      details: "Received message larger than max (2051 vs 2048)",
    },
  );
  await until(() => fixture.counters("SayHello")?.inFlight === 0);
});

Deno.test("bytes that are not a message get an error without internals", async () => {
  await using fixture = await Fixture.start();
  const { status, details } = await callBytes(
    fixture.connect(),
    SAY_HELLO,
    new Uint8Array([0x0a, 0xff, 0xff, 0xff]),
    { deadlineMs: 10_000 },
  );
  assert.deepEqual(
    { status, details },
    { status: "INTERNAL", details: "Error deserializing request" },
  );
  await until(() => fixture.counters("SayHello")?.inFlight === 0);
});

Deno.test("an unknown method is UNIMPLEMENTED", async () => {
  await using fixture = await Fixture.start();
  const path = "/demo.v1.Greeter/SayNothing";
  const { status, details } = await callBytes(
    fixture.connect(),
    path,
    new Uint8Array(),
    { deadlineMs: 10_000 },
  );
  assert.deepEqual(
    { status, details },
    {
      status: "UNIMPLEMENTED",
      details: `The server does not implement the method ${path}`,
    },
  );
});
