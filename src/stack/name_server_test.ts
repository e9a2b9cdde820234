import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";
import { answer, startNameServer } from "./name_server.ts";

const ADDRESSES = ["127.0.0.1", "127.0.0.2"];

function query(name: string, type: "A" | "AAAA" | "TXT" = "A"): Uint8Array {
  return encode({ type: "query", id: 7, questions: [{ name, type }] });
}

/** The parts of a reply that are looked at. */
interface Reply {
  readonly id: number;
  readonly type: string;
  readonly flags: number;
  readonly questions: readonly unknown[];
  readonly answers: readonly { readonly data: string }[];
}

function decoded(packet: Uint8Array | undefined): Reply {
  assert.ok(packet !== undefined);
  return decode(packet);
}

/** The response code: the lowest four bits of the flags. */
function codeOf({ flags }: Reply): number {
  return flags & 0xf;
}

Deno.test("answer() gives every address of the name, for a second", () => {
  const reply = decoded(answer(query("grpc-server"), "grpc-server", ADDRESSES));
  assert.equal(reply.id, 7);
  assert.equal(reply.type, "response");
  assert.equal(codeOf(reply), 0);
  assert.ok(reply.flags & AUTHORITATIVE_ANSWER);
  assert.deepEqual(
    reply.answers.map((record) => ({ ...record, flush: undefined })),
    ADDRESSES.map((data) => ({
      name: "grpc-server",
      type: "A",
      ttl: 600,
      class: "IN",
      flush: undefined,
      data,
    })),
  );
});

for (
  const [why, packet, code, count] of [
    ["a name in capitals is the same name", query("GRPC-Server"), 0, 2],
    ["the name has no IPv6 address", query("grpc-server", "AAAA"), 0, 0],
    ["the name has no text", query("grpc-server", "TXT"), 0, 0],
    ["another name does not exist", query("other"), 3, 0],
    ["a longer name is another name", query("grpc-server.lan"), 3, 0],
  ] as const
) {
  Deno.test(`answer() has code ${code} and ${count} addresses: ${why}`, () => {
    const reply = decoded(answer(packet, "grpc-server", ADDRESSES));
    assert.equal(codeOf(reply), code);
    assert.equal(reply.answers.length, count);
    assert.equal(reply.questions.length, 1);
  });
}

for (
  const [why, packet] of [
    ["nothing", new Uint8Array()],
    ["noise", new Uint8Array(40).fill(0xff)],
    ["a query that is cut off", query("grpc-server").subarray(0, 20)],
    ["a query without a question", encode({ type: "query", id: 1 })],
    [
      "a response",
      encode({
        type: "response",
        id: 1,
        questions: [{ type: "A", name: "grpc-server" }],
      }),
    ],
    // Its question's type is no type that can be written again.
    [
      "a name that points at itself",
      new Uint8Array([
        ...[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        ...[0xc0, 12, 0, 1, 0, 1],
      ]),
    ],
  ] as const
) {
  Deno.test(`answer() is silent about ${why}`, () => {
    assert.equal(answer(packet, "grpc-server", ADDRESSES), undefined);
  });
}

Deno.test("answer() is a reply or silence for any bytes", () => {
  const valid = query("grpc-server");
  for (let at = 0; at < valid.length; at += 1) {
    for (const byte of [0, 1, 5, 0x3f, 0x40, 0x80, 0xc0, 0xff]) {
      const packet = valid.slice();
      packet[at] = byte;
      assert.doesNotThrow(() => answer(packet, "grpc-server", ADDRESSES));
    }
  }
});

/** Sends a packet and resolves with the first one that comes back. */
function ask(
  port: number,
  packets: readonly Uint8Array[],
): Promise<Reply> {
  const socket = createSocket("udp4");
  return new Promise<Reply>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("message", (reply) => resolve(decode(reply)));
    for (const packet of packets) socket.send(packet, port, "127.0.0.1");
  }).finally(() => socket.close());
}

Deno.test("startNameServer() answers with the newest addresses", async () => {
  const server = await startNameServer("grpc-server");
  const addresses = async () => {
    const { answers } = await ask(server.port, [query("grpc-server")]);
    return answers.map(({ data }) => data);
  };
  try {
    assert.deepEqual(await addresses(), []);
    server.setAddresses(ADDRESSES);
    assert.deepEqual(await addresses(), ADDRESSES);
    server.setAddresses(["127.0.0.9"]);
    assert.deepEqual(await addresses(), ["127.0.0.9"]);
  } finally {
    await server.close();
  }
});

Deno.test("startNameServer() lives through noise", async () => {
  const server = await startNameServer("grpc-server");
  const noise = new Uint8Array(40).fill(0xff);
  try {
    const reply = await ask(server.port, [noise, query("grpc-server")]);
    assert.equal(reply.id, 7);
  } finally {
    await server.close();
  }
});

for (
  const [outage, code, count] of [
    ["empty", 0, 0],
    ["missing", 3, 0],
    ["failing", 2, 0],
    ["slow", 0, 2],
  ] as const
) {
  Deno.test(`answer() while it is ${outage}: code ${code}, ${count} addresses`, () => {
    const packet = query("grpc-server");
    const reply = decoded(answer(packet, "grpc-server", ADDRESSES, outage));
    assert.equal(codeOf(reply), code);
    assert.equal(reply.answers.length, count);
  });
}
