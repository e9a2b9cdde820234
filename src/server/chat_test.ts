import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type ClientDuplexStream, Metadata, status } from "@grpc/grpc-js";
import type { ChatRequest, ChatResponse, GreeterClient } from "../io/proto.ts";
import { Fixture, until } from "./_fixture.ts";
import { chat } from "./chat.ts";
import { createIdentity } from "./greeting.ts";

type Call = ClientDuplexStream<Partial<ChatRequest>, ChatResponse>;

function open(client: GreeterClient): Call {
  return client.Chat(new Metadata(), { deadline: Date.now() + 10_000 });
}

Deno.test("chat() echoes in order until the caller closes its side", async () => {
  await using fixture = await Fixture.start();
  const call = open(fixture.connect());
  const texts = Array.from({ length: 200 }, (_, index) => `text ${index}`);
  for (const text of texts) call.write({ text });
  call.end();
  const replies: ChatResponse[] = [];
  for await (const reply of call) replies.push(reply);
  assert.deepEqual(
    replies,
    texts.map((text, index) => ({ text, server: "tested", number: index + 1 })),
  );
  assert.equal(fixture.counters("Chat")?.ok, 1);
});

Deno.test("chat() refuses a text of 1025 characters", async () => {
  await using fixture = await Fixture.start();
  const call = open(fixture.connect());
  call.write({ text: "😀".repeat(1024) });
  call.write({ text: "😀".repeat(1024) + "e" });
  const replies: ChatResponse[] = [];
  await assert.rejects(async () => {
    for await (const reply of call) replies.push(reply);
  }, {
    code: status.INVALID_ARGUMENT,
    details: "characters of text must be from 0 to 1024, not 1025",
  });
  assert.equal(replies.length, 1);
  assert.equal(fixture.counters("Chat")?.failed, 1);
});

Deno.test("chat() ends for a caller that cancels", async () => {
  await using fixture = await Fixture.start();
  const call = open(fixture.connect());
  const ended = new Promise((resolve) => call.once("error", resolve));
  call.once("data", () => call.cancel());
  call.write({ text: "x" });
  assert.equal((await ended as { code?: number }).code, status.CANCELLED);
  await until(() => fixture.counters("Chat")?.inFlight === 0);
  assert.equal(fixture.counters("Chat")?.cancelled, 1);
});

Deno.test("chat() reads no further while its caller reads slowly", () => {
  const call = Object.assign(new EventEmitter(), {
    isPaused: false,
    pause: () => call.isPaused = true,
    resume: () => call.isPaused = false,
    write: () => false,
    end: () => {},
  });
  chat(createIdentity("fake"), call as unknown as Parameters<typeof chat>[1]);
  call.emit("data", { text: "x" });
  assert.equal(call.isPaused, true);
  call.emit("drain");
  assert.equal(call.isPaused, false);
});
