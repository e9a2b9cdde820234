import assert from "node:assert/strict";
import { Server, type ServerUnaryCall } from "@grpc/grpc-js";
import { listen } from "./_listen.ts";
import { callHedged } from "./hedged_call.ts";
import { Greeter, type GreeterClient } from "./proto.ts";
import { connect } from "./rpc.ts";

/** Runs `work` with a server that notes each caller's address. */
async function withGreeter(
  work: (target: string, callers: Set<string>) => Promise<void>,
): Promise<void> {
  const server = new Server();
  const callers = new Set<string>();
  server.addService(Greeter.service, {
    sayHello: (
      call: ServerUnaryCall<unknown, unknown>,
      answer: (error: null, reply: object) => void,
    ) => {
      callers.add(call.getPeer());
      answer(null, { message: "hello" });
    },
    streamHellos: () => {},
    chat: () => {},
  });
  const port = await listen(server, "127.0.0.1", 0);
  try {
    await work(`127.0.0.1:${port}`, callers);
  } finally {
    server.forceShutdown();
  }
}

const ask = (target: string, kept?: GreeterClient[]) =>
  callHedged(Greeter, "SayHello", { name: "Ada" }, {
    ...{ target, deadlineMs: 10_000 },
    ...(kept === undefined ? {} : { kept }),
  });

Deno.test("callHedged() keeps one connection where it is told to", async () => {
  await withGreeter(async (target, callers) => {
    const kept: GreeterClient[] = [];
    for (let call = 0; call < 5; call += 1) await ask(target, kept);
    assert.equal(callers.size, 1);
    await Promise.all([ask(target, kept), ask(target, kept)]);
    assert.equal(callers.size, 2);
    assert.equal(kept.length, 1);
    kept[0]?.close();
    callers.clear();
    for (let call = 0; call < 5; call += 1) await ask(target);
    assert.equal(callers.size, 5, "control: each call has its own");
  });
});

Deno.test("callHedged() leaves a kept connection that is silent", async () => {
  // Connections are accepted by the kernel, and nobody answers.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await withGreeter(async (target) => {
    const old = connect(Greeter, `127.0.0.1:${silent.addr.port}`);
    const kept = [old];
    assert.equal((await ask(target, kept)).message, "hello");
    assert.equal(kept.length, 1);
    assert.notEqual(kept[0], old);
    kept[0]?.close();
  });
});
