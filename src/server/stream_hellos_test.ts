import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type ClientReadableStream, Metadata, status } from "@grpc/grpc-js";
import type {
  GreeterClient,
  StreamHellosRequest,
  StreamHellosResponse,
} from "../io/proto.ts";
import { Fixture, until } from "./_fixture.ts";
import { createIdentity } from "./greeting.ts";
import { streamHellos } from "./stream_hellos.ts";
import { pause } from "../io/wait.ts";

type Call = ClientReadableStream<StreamHellosResponse>;

function open(
  client: GreeterClient,
  request: Partial<StreamHellosRequest>,
): Call {
  const options = { deadline: Date.now() + 10_000 };
  return client.StreamHellos(request, new Metadata(), options);
}

Deno.test("streamHellos() answers count times, numbered, and ends", async () => {
  await using fixture = await Fixture.start();
  const replies: StreamHellosResponse[] = [];
  const call = open(fixture.connect(), { name: "Ada", count: 3 });
  for await (const reply of call) replies.push(reply);
  assert.deepEqual(
    replies,
    [1, 2, 3].map((number) => ({
      message: "Hello, Ada!",
      server: "tested",
      number,
    })),
  );
  assert.equal(fixture.counters("StreamHellos")?.ok, 1);
});

Deno.test("streamHellos() waits between replies, not after the last", async () => {
  await using fixture = await Fixture.start();
  const startedAtMs = performance.now();
  const one = open(fixture.connect(), { count: 1, intervalMs: 60_000 });
  for await (const _ of one);
  const two = open(fixture.connect(), { count: 2, intervalMs: 60 });
  for await (const _ of two);
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs >= 59 && tookMs < 10_000, `${tookMs} ms`);
});

for (
  const [why, request, details] of [
    ["no reply", { count: 0 }, "count must be from 1 to 100000, not 0"],
    [
      "too many replies",
      { count: 100_001 },
      "count must be from 1 to 100000, not 100001",
    ],
    [
      "a long wait",
      { count: 1, intervalMs: 60_001 },
      "interval_ms must be from 0 to 60000, not 60001",
    ],
    [
      "a long name",
      { count: 1, name: "x".repeat(512) + "😀".repeat(513) },
      "characters of name must be from 0 to 1024, not 1025",
    ],
  ] as const
) {
  Deno.test(`streamHellos() refuses ${why}`, async () => {
    await using fixture = await Fixture.start();
    const call = open(fixture.connect(), request);
    await assert.rejects(async () => {
      for await (const _ of call);
    }, { code: status.INVALID_ARGUMENT, details });
    assert.equal(fixture.counters("StreamHellos")?.failed, 1);
  });
}

Deno.test("streamHellos() stops for a caller that cancels", async () => {
  await using fixture = await Fixture.start();
  const call = open(fixture.connect(), { count: 2, intervalMs: 60_000 });
  const ended = new Promise((resolve) => call.once("error", resolve));
  call.once("data", () => call.cancel());
  assert.equal((await ended as { code?: number }).code, status.CANCELLED);
  await until(() => fixture.counters("StreamHellos")?.inFlight === 0);
  assert.equal(fixture.counters("StreamHellos")?.cancelled, 1);
});

/** A call whose caller reads when the test tells it to. */
class FakeCall extends EventEmitter {
  readonly request: StreamHellosRequest = {
    name: "",
    count: 5,
    intervalMs: 60_000,
  };
  cancelled = false;
  hasRoom = false;
  written = 0;
  hasEnded = false;

  write(): boolean {
    this.written += 1;
    return this.hasRoom;
  }

  end(): void {
    this.hasEnded = true;
  }

  start(request: Partial<StreamHellosRequest>): void {
    Object.assign(this.request, request);
    streamHellos(
      createIdentity("fake"),
      this as unknown as Parameters<typeof streamHellos>[1],
    );
  }

  cancel(): void {
    this.cancelled = true;
    this.emit("cancelled", "cancelled");
  }
}

Deno.test("streamHellos() sends no reply while there is no room", async () => {
  const call = new FakeCall();
  call.start({ count: 2, intervalMs: 0 });
  await pause(5);
  assert.equal(call.written, 1);
  call.emit("drain");
  await until(() => call.hasEnded);
  assert.equal(call.written, 2);
});

Deno.test({
  name: "streamHellos() leaves no timer when cancelled while it waits",
  sanitizeOps: true,
  fn: () => {
    const call = new FakeCall();
    call.hasRoom = true;
    call.start({});
    call.cancel();
    assert.equal(call.written, 1);
  },
});

Deno.test({
  name: "streamHellos() leaves no timer when there is room after a cancel",
  sanitizeOps: true,
  fn: () => {
    const call = new FakeCall();
    call.start({});
    call.cancel();
    call.emit("drain");
    assert.equal(call.written, 1);
  },
});
