/** Peers that break HTTP/2 on purpose: server and Envoy live through them. */
import assert from "node:assert/strict";
import { frame, join, PREFACE } from "../src/core/http2_wire.ts";
import {
  callFields,
  data,
  deadlyPacket,
  headers,
  resetStream,
  settings,
} from "../src/io/http2_frames.ts";
import { RawPeer } from "../experiments/attack/raw_peers.ts";
import { start, startSource } from "./programs.ts";
import { callMany, freePort, withStack } from "./stacks.ts";

const OPENING = join(PREFACE, settings());
const SETTINGS_ACK = frame(4, 1, 0);
const request = () => headers(1, callFields());
/** A request with a content type that is not gRPC's. */
const textRequest = (stream = 1) =>
  headers(stream, { ...callFields(), "content-type": "text/plain" });

/** What a peer sends after the opening, each in one packet. */
const ATTACKS: Readonly<Record<string, Uint8Array>> = {
  "two requests on one stream": deadlyPacket(),
  "a reset stream with a wrong content type": join(
    textRequest(),
    resetStream(1),
  ),
  "data on a reset stream": join(
    textRequest(),
    resetStream(1),
    data(1, new Uint8Array(4)),
  ),
  "200 requests, each reset at once": join(
    ...Array.from({ length: 200 }, (_, index) =>
      join(
        textRequest(2 * index + 1),
        resetStream(2 * index + 1),
      )),
  ),
  "data on a stream that was never opened": data(5, new Uint8Array(8)),
  "SETTINGS of a wrong length": frame(4, 0, 0, new Uint8Array(5)),
  "a stream with an even number": headers(2, callFields()),
  "a request without a path": headers(1, { ":method": "POST" }, true),
  "a truncated message": join(
    request(),
    data(1, Uint8Array.of(0, 0, 0, 0, 50, 1, 2)),
    frame(0, 1, 1),
  ),
  "a message that is no protobuf": join(
    request(),
    data(1, Uint8Array.of(0, 0, 0, 0, 3, 255, 255, 255)),
    frame(0, 1, 1),
  ),
  "a compressed message without compression": join(
    request(),
    data(1, Uint8Array.of(1, 0, 0, 0, 1, 0)),
    frame(0, 1, 1),
  ),
  "a DATA frame longer than allowed": data(1, new Uint8Array(70_000)),
  "a GOAWAY in the middle of a call": join(
    request(),
    frame(7, 0, 0, new Uint8Array(8)),
  ),
};

/** Bytes that are no HTTP/2 at all. */
const GARBAGE: readonly Uint8Array[] = [
  new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  Uint8Array.from({ length: 4096 }, (_, index) => index * 7919 % 251),
  new Uint8Array(100),
];

/** Sends packets, with time for an answer after each. */
async function send(
  port: number,
  packets: readonly Uint8Array[],
): Promise<void> {
  const peer = await RawPeer.open(`127.0.0.1:${port}`);
  await peer.writeAll(packets, 50, new AbortController().signal);
  peer.close();
}

async function attack(port: number): Promise<void> {
  for (const bytes of GARBAGE) await send(port, [bytes]);
  for (const packet of Object.values(ATTACKS)) {
    await send(port, [OPENING, SETTINGS_ACK, packet]);
  }
}

Deno.test("control: a plain grpc-js server dies of one packet", async () => {
  const port = freePort();
  const run = start(Deno.execPath(), [
    ...["run", "-qA", "experiments/control/plain_server.ts", "--name", "plain"],
    ...["--port", String(port)],
  ]);
  await run.printed(/serving on/);
  await send(port, [OPENING, SETTINGS_ACK, deadlyPacket()]);
  assert.notEqual(await run.ended, 0);
  assert.match(run.text(), /The stream has been destroyed/);
});

Deno.test("our server lives through what peers send, and says it", async () => {
  const port = freePort();
  const run = startSource("server", ["--port", String(port), "--name", "s"]);
  await run.printed(/serving on/);
  await attack(port);
  const { servers, errors } = await callMany(`127.0.0.1:${port}`, 100);
  assert.deepEqual([[...servers], [...errors]], [[["s", 100]], []]);
  const said =
    run.text().match(/ended the connection with 127\.0\.0\.1:\d+: /g) ?? [];
  assert.ok(said.length >= 1, run.text());
  assert.doesNotMatch(run.text(), /^ +at /m, "a stack trace");
  run.process.kill("SIGTERM");
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("Envoy lives through it, and other callers notice nothing", async () => {
  await withStack({}, async (stack) => {
    const envoyPid = stack.envoy.pid;
    await attack(Number(stack.endpoint.split(":")[1]));
    const { servers, errors } = await callMany(stack.endpoint, 300);
    assert.deepEqual([...errors], []);
    assert.deepEqual([...servers.values()], [100, 100, 100]);
    assert.equal(stack.envoy.pid, envoyPid);
  });
});
