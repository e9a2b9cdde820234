/** The life of a connection, as the peer sees it. */
import assert from "node:assert/strict";
import {
  CODE,
  FLAG,
  frame,
  HEAD_BYTES,
  INT31_MAX,
  join,
  PREFACE,
  SETTING,
  TYPE,
  uint32,
} from "../../core/http2_wire.ts";
import { callFields, data, headers, settings } from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";
import { answer, Bench, Peer } from "./_peer.ts";
import type { Stream } from "./stream.ts";

Deno.test("a connection begins with our settings, and acknowledges the peer's", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect();
  const { payload } = await peer.received("settings");
  const values = Array.from({ length: payload.length / 6 }, (_, index) => [
    uint32(payload, index * 6) >>> 16,
    uint32(payload, index * 6 + 2),
  ]);
  assert.deepEqual(values, [
    [SETTING.maxConcurrentStreams, 100],
    [SETTING.maxHeaderListSize, 1000],
  ]);
  const ack = await peer.received("settings", 0, 2);
  assert.deepEqual([ack.flags, ack.length], [FLAG.ack, 0]);
  const { payload: increment } = await peer.received("windowUpdate");
  assert.equal(uint32(increment, 0), 1_048_576 - 65_535);
});

Deno.test("an answer has headers, data and trailers", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect();
  await peer.call(1);
  const trailers = await peer.received("headers", 1, 2);
  const first = await peer.received("headers", 1);
  assert.deepEqual(peer.fields(first), {
    ":status": "200",
    "content-type": "application/grpc",
  });
  assert.deepEqual(peer.fields(trailers), { "grpc-status": "0" });
  assert.equal(trailers.flags, FLAG.endStream | FLAG.endHeaders);
  assert.equal(peer.dataBytes(1), 10);
});

Deno.test("input that arrives a byte at a time is understood", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect(new Uint8Array());
  for (
    const byte of join(PREFACE, settings(), headers(1, callFields(), true))
  ) {
    await peer.send(Uint8Array.of(byte));
  }
  await peer.received("headers", 1, 2);
});

Deno.test("headers in several frames are one list", async () => {
  await using bench = new Bench((stream, fields) =>
    stream.respond({ path: fields[":path"] }, { endStream: true })
  );
  const peer = await bench.connect();
  const block = headers(1, callFields()).subarray(HEAD_BYTES);
  const parts = [0, 1, 50, block.length].map((at, index, all) =>
    block.subarray(at, all[index + 1])
  );
  await peer.send(
    frame(TYPE.headers, FLAG.endStream, 1, parts[0]),
    frame(TYPE.continuation, 0, 1, parts[1]),
    frame(TYPE.continuation, 0, 1, parts[2]),
    frame(TYPE.continuation, FLAG.endHeaders, 1, parts[3]),
  );
  const { path } = peer.fields(await peer.received("headers", 1));
  assert.equal(path, "/demo.v1.Greeter/SayHello");
});

for (
  const [what, code, opening] of [
    ["not HTTP/2", "protocolError", new TextEncoder().encode("GET / HTTP/1.1")],
    [
      "a frame before the settings",
      "protocolError",
      join(PREFACE, frame(TYPE.ping, 0, 0, new Uint8Array(8))),
    ],
    [
      "an acknowledgement before the settings",
      "protocolError",
      join(PREFACE, frame(TYPE.settings, FLAG.ack, 0)),
    ],
    [
      "a frame that is too long",
      "frameSizeError",
      join(PREFACE, settings(), data(1, new Uint8Array(16_385))),
    ],
    [
      "many continuations",
      "enhanceYourCalm",
      join(
        PREFACE,
        settings(),
        frame(TYPE.headers, 0, 1),
        ...Array.from({ length: 16 }, () => frame(TYPE.continuation, 0, 1)),
      ),
    ],
    [
      "long continuations",
      "enhanceYourCalm",
      join(
        PREFACE,
        settings(),
        frame(TYPE.headers, 0, 1, new Uint8Array(16_384)),
        frame(TYPE.continuation, 0, 1, new Uint8Array(16_384)),
        frame(TYPE.continuation, 0, 1, new Uint8Array(1)),
      ),
    ],
  ] as const
) {
  Deno.test(`a peer learns why its connection is closed: ${what}`, async () => {
    await using bench = new Bench(answer);
    const peer = await bench.connect(opening);
    const goAway = await peer.received("goAway");
    assert.equal(Peer.code(goAway), code);
    const reason = new TextDecoder().decode(goAway.payload.subarray(8));
    await peer.ended;
    const [connection] = bench.connections;
    assert.deepEqual(bench.lines, [
      `ended the connection with ${connection?.peer}: ${reason}`,
    ]);
  });
}

Deno.test("a preface that never comes times out", async () => {
  await using bench = new Bench(answer);
  const beforeMs = performance.now();
  const silent = await bench.connect(new Uint8Array());
  const half = await bench.connect(PREFACE);
  const open = await bench.connect();
  await open.settled();
  await until(() => bench.connections.length === 3);
  const sweep = (nowMs: number) =>
    bench.connections.forEach((one) => one.sweep(nowMs));
  sweep(beforeMs + 10_000);
  assert.equal(bench.listener.connectionCount, 3);
  sweep(performance.now() + 10_001);
  await Promise.all([silent.ended, half.ended]);
  await open.settled();
  assert.equal(open.hasEnded, false);
  assert.equal(bench.listener.connectionCount, 1);
});

Deno.test("an early answer lets the rest of the request come, but not for long", async () => {
  await using bench = new Bench((stream) =>
    stream.respond({ "grpc-status": 3 }, { endStream: true })
  );
  const peer = await bench.connect();
  const beforeMs = performance.now();
  await peer.call(1, false);
  await peer.call(3, false);
  await peer.received("headers", 3);
  // More than a window: it is renewed although nobody reads the data.
  for (let sent = 0; sent < 10; sent += 1) {
    await peer.send(data(1, new Uint8Array(16_384)));
    await peer.settled();
  }
  const [connection] = bench.connections;
  connection?.sweep(beforeMs + 1000);
  assert.equal(connection?.streams.count, 2);
  await peer.send(frame(TYPE.data, FLAG.endStream, 1, new Uint8Array(1)));
  await peer.settled();
  assert.equal(connection?.streams.count, 1, "a whole request ends");
  connection?.sweep(performance.now() + 1001);
  assert.equal(Peer.code(await peer.received("resetStream", 3)), "noError");
  assert.equal(connection?.streams.count, 0);
});

Deno.test("close() sends two GOAWAYs, and calls in between are served", async () => {
  const streams: Stream[] = [];
  await using bench = new Bench((stream) => streams.push(stream));
  const peer = await bench.connect();
  await peer.call(1);
  await until(() => streams.length === 1);
  let isClosed = false;
  bench.connections[0]?.close(() => isClosed = true);
  const first = await peer.received("goAway");
  assert.equal(uint32(first.payload, 0), INT31_MAX);
  assert.equal(Peer.code(first), "noError");
  const ping = await peer.received("ping");
  // This call was in flight when the first GOAWAY came.
  await peer.call(3);
  await peer.send(frame(TYPE.ping, FLAG.ack, 0, ping.payload));
  const second = await peer.received("goAway", 0, 2);
  assert.equal(uint32(second.payload, 0), 3);
  await peer.call(5);
  await peer.settled();
  assert.equal(streams.length, 2, "after the second GOAWAY nothing is served");
  assert.equal(isClosed, false);
  for (const stream of streams) stream.respond({}, { endStream: true });
  await peer.received("headers", 1);
  await peer.received("headers", 3);
  await peer.ended;
  peer.close();
  await until(() => isClosed);
});

Deno.test("close() does not wait long for a peer that answers no ping", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect();
  await peer.settled();
  bench.connections[0]?.close();
  await peer.received("goAway", 0, 2);
  await peer.ended;
});

Deno.test("a peer that sends GOAWAY is released when its calls have ended", async () => {
  const streams: Stream[] = [];
  await using bench = new Bench((stream) => streams.push(stream));
  const peer = await bench.connect();
  await peer.call(1);
  await peer.send(frame(TYPE.goAway, 0, 0, new Uint8Array(8)));
  await peer.settled();
  assert.equal(peer.hasEnded, false);
  streams[0]?.respond({}, { endStream: true });
  await peer.received("headers", 1);
  await peer.ended;
});

for (
  const [where, onStream] of [
    ["at once", () => {
      throw new Error('no\nsuch "thing"');
    }],
    ["on data", (stream: Stream) => {
      stream.on("data", () => {
        throw new Error('no\nsuch "thing"');
      });
    }],
    ["later", (stream: Stream) => {
      stream.pause();
      stream.on("data", () => {
        throw new Error('no\nsuch "thing"');
      });
      setTimeout(() => stream.resume());
    }],
    ["when it may write", (stream: Stream) => {
      stream.respond({});
      stream.write(new Uint8Array(1), () => {
        throw new Error('no\nsuch "thing"');
      });
    }],
  ] as const
) {
  Deno.test(`a handler that throws ${where} ends one connection, with one log line`, async () => {
    await using bench = new Bench((stream, fields) => {
      if (fields["x-bad"] === undefined) answer(stream);
      else onStream(stream);
    });
    const good = await bench.connect();
    await good.call(1, false);
    const bad = await bench.connect();
    await bad.send(
      headers(1, { ...callFields(), "x-bad": "1" }, false),
      data(1, new Uint8Array(1)),
    );
    assert.equal(Peer.code(await bad.received("goAway")), "internalError");
    await bad.ended;
    await good.send(frame(TYPE.data, FLAG.endStream, 1));
    await good.received("headers", 1, 2);
    assert.deepEqual(bench.lines, [
      `ended the connection with ${bench.connections[1]?.peer}: a defect of ` +
      'this server, please report it: "no\\nsuch \\"thing\\""',
    ]);
  });
}

Deno.test("a handler that writes to a reset stream gets an error", async () => {
  const errors: unknown[] = [];
  await using bench = new Bench((stream) => {
    stream.close(CODE.cancel);
    stream.write(new Uint8Array(1), (error) => errors.push(error?.message));
  });
  const peer = await bench.connect();
  await peer.call(1);
  await peer.received("resetStream", 1);
  assert.deepEqual(errors, ["The stream has ended"]);
});
