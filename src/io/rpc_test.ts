import assert from "node:assert/strict";
import dns from "node:dns";
import {
  Metadata,
  Server,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import { listen } from "./_listen.ts";
import { Greeter } from "./proto.ts";
import {
  callBytes,
  type CallOptions,
  callToEnd,
  callUnary,
  connect,
  plainDetails,
  readStream,
} from "./rpc.ts";
import { pause } from "./wait.ts";

/** Runs `work` with the port of a server whose SayHello does `sayHello`. */
async function withGreeter(
  sayHello: (...args: never[]) => void,
  work: (target: string) => Promise<void>,
  streamHellos: (...args: never[]) => void = () => {},
): Promise<void> {
  const server = new Server();
  server.addService(Greeter.service, {
    sayHello: sayHello as () => void,
    streamHellos: streamHellos as () => void,
    chat: () => {},
  });
  const port = await listen(server, "127.0.0.1", 0);
  try {
    await work(`127.0.0.1:${port}`);
  } finally {
    server.forceShutdown();
  }
}

interface FakeCall {
  readonly request: { readonly name: string };
  readonly metadata: Metadata;
  sendMetadata(headers: Metadata): void;
}

type Callback = (error: unknown, reply?: unknown) => void;

async function call(target: string, options: Partial<CallOptions> = {}) {
  const client = connect(Greeter, target);
  const withDeadline = { deadlineMs: 10_000, ...options };
  try {
    return await callUnary(client, "SayHello", { name: "Ada" }, withDeadline);
  } finally {
    client.close();
  }
}

async function end(target: string, options: Partial<CallOptions> = {}) {
  const client = connect(Greeter, target);
  const withDeadline = { deadlineMs: 10_000, ...options };
  try {
    return await callToEnd(client, "SayHello", { name: "Ada" }, withDeadline);
  } finally {
    client.close();
  }
}

/** Answers with a greeting, and says in its headers what it was sent. */
function greet(fake: FakeCall, callback: Callback): void {
  const headers = new Metadata();
  headers.set("x-color", fake.metadata.get("x-color")[0] ?? "none");
  fake.sendMetadata(headers);
  callback(null, { message: `Hi ${fake.request.name}` });
}

Deno.test("callUnary() returns the reply", async () => {
  await withGreeter(greet, async (target) => {
    assert.equal((await call(target)).message, "Hi Ada");
  });
});

Deno.test("callToEnd() sends metadata, and returns reply, status and headers", async () => {
  await withGreeter(greet, async (target) => {
    const metadata = { "x-color": "blue" };
    const { reply, status, headers, error } = await end(target, { metadata });
    assert.equal(reply?.message, "Hi Ada");
    assert.equal(status, "OK");
    assert.equal(error, undefined);
    assert.deepEqual(headers?.get("x-color"), ["blue"]);
  });
});

Deno.test("callToEnd() returns another status, with the headers before it", async () => {
  for (const hasHeaders of [false, true]) {
    await withGreeter((fake: FakeCall, callback: Callback) => {
      if (hasHeaders) fake.sendMetadata(new Metadata());
      callback({ code: status.ABORTED, details: "not\nnow" });
    }, async (target) => {
      const { reply, headers, ...found } = await end(target);
      assert.equal(reply, undefined);
      assert.equal(found.status, "ABORTED");
      assert.equal(found.details, "not\\u{a}now");
      assert.equal(found.error?.code, status.ABORTED);
      assert.equal(headers !== undefined, hasHeaders);
    });
  }
});

for (const when of ["before the call", "in the call"]) {
  Deno.test(`callToEnd() is cancelled by its signal, ${when}`, async () => {
    const caller = new AbortController();
    if (when === "before the call") caller.abort();
    await withGreeter(() => caller.abort(), async (target) => {
      const { status } = await end(target, { signal: caller.signal });
      assert.equal(status, "CANCELLED");
    });
  });
}

Deno.test("callToEnd() waits for a connection if it is to", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const server = new Server();
  server.addService(Greeter.service, { sayHello: greet as () => void });
  const found = end(`127.0.0.1:${port}`, { waitForReady: true });
  assert.equal((await end(`127.0.0.1:${port}`)).status, "UNAVAILABLE");
  await listen(server, "127.0.0.1", port);
  assert.equal((await found).status, "OK");
  server.forceShutdown();
});

Deno.test("callBytes() sends and returns bytes", async () => {
  await withGreeter(greet, async (target) => {
    const client = connect(Greeter, target);
    const path = "/demo.v1.Greeter/SayHello";
    const name = Uint8Array.of(0x0a, 1, 0x41);
    const options = { deadlineMs: 10_000 };
    const { reply, status } = await callBytes(client, path, name, options);
    client.close();
    assert.equal(status, "OK");
    assert.deepEqual([...reply ?? []], [0x0a, 4, 0x48, 0x69, 0x20, 0x41]);
  });
});

type FakeStream = ServerWritableStream<unknown, { readonly number: number }>;

Deno.test("readStream() reads every reply to the end", async () => {
  await withGreeter(() => {}, async (target) => {
    const client = connect(Greeter, target);
    const numbers: number[] = [];
    const onReply = ({ number }: { number: number }) => numbers.push(number);
    const found = await readStream(client, "StreamHellos", {}, {}, onReply);
    client.close();
    assert.deepEqual(found, { status: "OK", details: "" });
    assert.deepEqual(numbers, [1, 2, 3]);
  }, (stream: FakeStream) => {
    for (const number of [1, 2, 3]) stream.write({ number });
    stream.end();
  });
});

Deno.test("readStream() tells of a bad end", async () => {
  await withGreeter(() => {}, async (target) => {
    const client = connect(Greeter, target);
    const found = await readStream(client, "StreamHellos", {}, {}, () => {});
    client.close();
    assert.deepEqual(found, { status: "DATA_LOSS", details: "lost" });
  }, (stream: FakeStream) => {
    stream.emit("error", { code: status.DATA_LOSS, details: "lost" });
  });
});

Deno.test("readStream() is cancelled by its signal", async () => {
  await withGreeter(() => {}, async (target) => {
    const client = connect(Greeter, target);
    const caller = new AbortController();
    const { signal } = caller;
    const onReply = () => caller.abort();
    const found = await readStream(
      client,
      "StreamHellos",
      {},
      { signal },
      onReply,
    );
    client.close();
    assert.equal(found.status, "CANCELLED");
  }, (stream: FakeStream) => stream.write({ number: 1 }));
});

// The check of types reads this; nothing runs it.
export async function unknownToTypes(): Promise<void> {
  const client = connect(Greeter, "127.0.0.1:1");
  const options = { deadlineMs: 1 };
  // @ts-expect-error The service has no such method.
  await callUnary(client, "SayNothing", {}, options);
  // @ts-expect-error A client's own method is none of its service.
  await callUnary(client, "close", {}, options);
  // @ts-expect-error The request has no such field.
  await callUnary(client, "SayHello", { nmae: "" }, options);
  // @ts-expect-error The field is no number.
  await callUnary(client, "SayHello", { name: 1 }, options);
  // @ts-expect-error The method answers with a stream.
  await callUnary(client, "StreamHellos", {}, options);
  // @ts-expect-error The method answers once.
  await readStream(client, "SayHello", {}, options, () => {});
  // @ts-expect-error The reply has no such field.
  (await callUnary(client, "SayHello", {}, options)).count;
}

Deno.test("connect() speaks of the server that is not there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { status, details } = await end(`127.0.0.1:${port}`);
  assert.equal(status, "UNAVAILABLE");
  assert.equal(
    details,
    "No connection established. Last error: Error: connect ECONNREFUSED " +
      `127.0.0.1:${port}`,
  );
});

for (
  const [why, details, plain] of [
    ["removes an empty note", "Down. Resolution note: ", "Down"],
    [
      "keeps a note",
      "Down. Resolution note: slow",
      "Down. Resolution note: slow",
    ],
    ["keeps what has no note", "Down.", "Down."],
  ] as const
) {
  Deno.test(`plainDetails() ${why}`, () => {
    assert.equal(plainDetails(details), plain);
  });
}

Deno.test("connect() finds a target that has moved within 5 s", async () => {
  const { lookup } = dns.promises;
  let address = "127.0.0.1";
  // What grpc-js asks the system; no other name is looked up here.
  const answer = () => Promise.resolve([{ address, family: 4 }]);
  dns.promises.lookup = answer as unknown as typeof lookup;
  const servers = [new Server(), new Server()] as const;
  const sayHello = (_: unknown, callback: Callback) => callback(null, {});
  for (const server of servers) {
    server.addService(Greeter.service, {
      sayHello: sayHello as () => void,
      streamHellos: () => {},
      chat: () => {},
    });
  }
  try {
    const port = await listen(servers[0], "127.0.0.1", 0);
    await listen(servers[1], "127.0.0.2", port);
    const client = connect(Greeter, `moving.test:${port}`);
    const ask = () => callUnary(client, "SayHello", {}, { deadlineMs: 500 });
    await ask();
    address = "127.0.0.2";
    servers[0].forceShutdown();
    const movedMs = performance.now();
    while (!await ask().then(() => true, () => false)) {
      assert.ok(performance.now() - movedMs < 5000, "not found in 5 s");
      await pause(20);
    }
    client.close();
  } finally {
    dns.promises.lookup = lookup;
    for (const server of servers) server.forceShutdown();
  }
});
