import assert from "node:assert/strict";
import { promisify } from "node:util";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  status,
} from "@grpc/grpc-js";
import { Greeter, Operator } from "./proto.ts";
import {
  callUnary,
  connect,
  isServiceError,
  plainDetails,
  statusName,
} from "./rpc.ts";

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
  const port = await promisify(server.bindAsync.bind(server))(
    "127.0.0.1:0",
    ServerCredentials.createInsecure(),
  );
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
    call("127.0.0.1:1", { service: Operator, method: "SayHello" }),
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

Deno.test("statusName() names every number", () => {
  assert.deepEqual([0, 14, 99].map(statusName), [
    "OK",
    "UNAVAILABLE",
    "CODE_99",
  ]);
});
