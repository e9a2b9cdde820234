import assert from "node:assert/strict";
import dns from "node:dns";
import {
  Metadata,
  Server,
  type ServiceClientConstructor,
  status,
} from "@grpc/grpc-js";
import { listen } from "./_listen.ts";
import { Admin, Greeter } from "./proto.ts";
import { callUnary, connect, isServiceError, plainDetails } from "./rpc.ts";

/** Runs `work` with the port of a server whose SayHello does `sayHello`. */
async function withGreeter(
  sayHello: (...args: never[]) => void,
  work: (target: string) => Promise<void>,
): Promise<void> {
  const server = new Server();
  server.addService(Greeter.service, {
    sayHello: sayHello as () => void,
    streamHellos: () => {},
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
  sendMetadata(headers: Metadata): void;
}

type Callback = (error: unknown, reply?: unknown) => void;

async function call(
  target: string,
  options: {
    readonly deadlineMs?: number;
    readonly service?: ServiceClientConstructor;
    readonly method?: string;
  } = {},
) {
  const client = connect(options.service ?? Greeter, target);
  try {
    return await callUnary<{ readonly message: string }>(
      client,
      options.method ?? "SayHello",
      { name: "Ada" },
      { deadlineMs: options.deadlineMs ?? 10_000 },
    );
  } finally {
    client.close();
  }
}

Deno.test("callUnary() returns the reply and the headers", async () => {
  await withGreeter((fake: FakeCall, callback: Callback) => {
    const headers = new Metadata();
    headers.set("x-color", "blue");
    fake.sendMetadata(headers);
    callback(null, { message: `Hi ${fake.request.name}` });
  }, async (target) => {
    const { reply, headers } = await call(target);
    assert.equal(reply.message, "Hi Ada");
    assert.deepEqual(headers.get("x-color"), ["blue"]);
  });
});

Deno.test("callUnary() rejects with the server's status", async () => {
  await withGreeter((_: FakeCall, callback: Callback) => {
    callback({ code: status.ABORTED, details: "not now" });
  }, async (target) => {
    await assert.rejects(call(target), {
      code: status.ABORTED,
      details: "not now",
    });
  });
});

Deno.test("callUnary() ends at its deadline", async () => {
  await withGreeter(() => {}, async (target) => {
    await assert.rejects(call(target, { deadlineMs: 30 }), {
      code: status.DEADLINE_EXCEEDED,
    });
  });
});

Deno.test("callUnary() refuses a method that the service has not", async () => {
  await assert.rejects(
    call("127.0.0.1:1", { service: Admin, method: "SayHello" }),
    { name: "TypeError", message: 'No method "SayHello"' },
  );
});

Deno.test("connect() speaks of the server that is not there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await call(`127.0.0.1:${port}`).then(
    () => undefined,
    (thrown) => thrown,
  );
  assert.ok(isServiceError(error));
  assert.equal(error.code, status.UNAVAILABLE);
  assert.equal(
    plainDetails(error.details),
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

for (
  const [what, thrown, expected] of [
    ["a status", Object.assign(new Error(), { code: 14, details: "" }), true],
    [
      "an error of the system",
      Object.assign(new Error(), { code: "E" }),
      false,
    ],
    ["an error", new Error(), false],
    ["no error", { code: 14, details: "" }, false],
    ["nothing", undefined, false],
  ] as const
) {
  Deno.test(`isServiceError() is ${expected} for ${what}`, () => {
    assert.equal(isServiceError(thrown), expected);
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
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.close();
  } finally {
    dns.promises.lookup = lookup;
    for (const server of servers) server.forceShutdown();
  }
});
