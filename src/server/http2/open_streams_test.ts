/** What a peer's frames do to streams, as the peer sees it. */
import assert from "node:assert/strict";
import {
  CODE,
  FLAG,
  frame,
  join,
  SETTING,
  settingsPayload,
  TYPE,
  uint32s,
} from "../../core/http2_wire.ts";
import {
  callFields,
  data,
  headers,
  resetStream,
} from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";
import { answer, Bench, Peer, windowUpdate } from "./_peer.ts";

const { endHeaders, endStream } = FLAG;

const request = (stream = 1, isEnd = true) =>
  headers(stream, callFields(), isEnd);
const withLength = (length: string, isEnd = false) =>
  headers(1, { ...callFields(), "content-length": length }, isEnd);
const lastData = (stream: number, bytes: number) =>
  frame(TYPE.data, endStream, stream, new Uint8Array(bytes));
const windowSetting = (bytes: number) =>
  frame(
    TYPE.settings,
    0,
    0,
    settingsPayload([[SETTING.initialWindowSize, bytes]]),
  );

/** What ends the connection. */
for (
  const [what, code, packet] of [
    [
      "data on a stream never opened",
      "protocolError",
      data(5, new Uint8Array(8)),
    ],
    ["a reset of a stream never opened", "protocolError", resetStream(1)],
    ["a window of a stream never opened", "protocolError", windowUpdate(1, 1)],
    ["a window of a server's stream", "protocolError", windowUpdate(2, 1)],
    [
      "a connection's window that grows by 0",
      "protocolError",
      windowUpdate(0, 0),
    ],
    [
      "a connection's window beyond 31 bits",
      "flowControlError",
      windowUpdate(0, 0x7fff_ffff),
    ],
    [
      "a header block that cannot be decoded",
      "compressionError",
      frame(TYPE.headers, endHeaders | endStream, 1, Uint8Array.of(0x80)),
    ],
    [
      "a stream's number that goes back",
      "streamClosed",
      join(request(5), request(3)),
    ],
    [
      "headers between two parts of headers",
      "protocolError",
      join(frame(TYPE.headers, 0, 1), request(3)),
    ],
    [
      "a continuation on another stream",
      "protocolError",
      join(frame(TYPE.headers, 0, 1), frame(TYPE.continuation, endHeaders, 3)),
    ],
    [
      "a continuation of nothing",
      "protocolError",
      frame(TYPE.continuation, endHeaders, 1),
    ],
    [
      "a window that settings make too large",
      "flowControlError",
      join(
        request(1, false),
        windowUpdate(1, 1000),
        windowSetting(0x7fff_ffff),
      ),
    ],
  ] as const
) {
  Deno.test(`a connection ends with ${code}: ${what}`, async () => {
    await using bench = new Bench(() => {});
    const peer = await bench.connect();
    await peer.send(packet);
    assert.equal(Peer.code(await peer.received("goAway")), code);
    await peer.ended;
    peer.close();
    await until(() => bench.listener.connectionCount === 0);
    assert.equal(bench.listener.heldBytes, 0);
  });
}

/** What ends stream 1 and nothing else. */
for (
  const [what, code, packet] of [
    [
      "data behind the end",
      "streamClosed",
      join(request(), data(1, new Uint8Array(1))),
    ],
    ["headers behind the end", "streamClosed", join(request(), request())],
    [
      "headers twice, without an end",
      "protocolError",
      join(request(1, false), request(1, false)),
    ],
    [
      "trailers with a pseudo-header",
      "protocolError",
      join(request(1, false), request(1)),
    ],
    ["a request without a path", "protocolError", headers(1, { a: "b" }, true)],
    [
      "a window that grows by 0",
      "protocolError",
      join(request(1, false), windowUpdate(1, 0)),
    ],
    [
      "a window beyond 31 bits",
      "flowControlError",
      join(request(1, false), windowUpdate(1, 0x7fff_ffff)),
    ],
    [
      "less data than announced",
      "protocolError",
      join(withLength("5"), lastData(1, 4)),
    ],
    [
      "more data than announced",
      "protocolError",
      join(withLength("5"), lastData(1, 6)),
    ],
    ["no data, but an announcement", "protocolError", withLength("1", true)],
    ["a length that is no number", "protocolError", withLength("0x5")],
    [
      "more data than the stream's window",
      "flowControlError",
      join(
        request(1, false),
        ...Array.from({ length: 4 }, () => data(1, new Uint8Array(16_384))),
      ),
    ],
  ] as const
) {
  Deno.test(`a stream ends with ${code}: ${what}`, async () => {
    await using bench = new Bench((stream, fields) => {
      stream.pause(); // Received data is not consumed.
      if (fields["x-live"] !== undefined) answer(stream.resume());
    });
    const peer = await bench.connect();
    await peer.send(packet);
    assert.equal(Peer.code(await peer.received("resetStream", 1)), code);
    await peer.send(headers(3, { ...callFields(), "x-live": "1" }, true));
    await peer.received("headers", 3, 2);
    assert.equal(peer.dataBytes(3), 10);
  });
}

Deno.test("frames of a stream that was just reset are ignored", async () => {
  await using bench = new Bench((stream) => stream.close(CODE.cancel));
  const peer = await bench.connect();
  await peer.call(1, false);
  await peer.received("resetStream", 1);
  await peer.send(
    data(1, new Uint8Array(10)),
    windowUpdate(1, 10),
    request(1),
    resetStream(1),
  );
  await peer.settled();
  assert.equal(peer.hasEnded, false);
  assert.equal(
    peer.frames.filter(({ type }) => type === TYPE.resetStream).length,
    1,
  );
});

Deno.test("unread data does not use up the connection's window", async () => {
  await using bench = new Bench((stream) => stream.pause());
  const peer = await bench.connect();
  for (let id = 1; id < 60; id += 2) {
    const part = data(id, new Uint8Array(16_000));
    await peer.send(
      request(id, false),
      part,
      part,
      part,
      part,
      resetStream(id),
    );
  }
  await peer.settled();
  assert.equal(peer.hasEnded, false, "30 times 64,000 bytes were sent");
});

Deno.test("trailers of a request end it", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect();
  await peer.call(1, false);
  await peer.send(
    data(1, new Uint8Array(3)),
    headers(1, { "x-checksum": "1" }, true),
  );
  await peer.received("headers", 1, 2);
});

Deno.test("a stream beyond the limit is refused; open ones go on", async () => {
  await using bench = new Bench(answer, { concurrentStreamsMax: 2 });
  const peer = await bench.connect();
  await peer.send(request(1, false), request(3, false), request(5, false));
  assert.equal(
    Peer.code(await peer.received("resetStream", 5)),
    "refusedStream",
  );
  await peer.send(lastData(1, 1), lastData(3, 1));
  await peer.received("headers", 1, 2);
  await peer.received("headers", 3, 2);
  await peer.call(7);
  await peer.received("headers", 7, 2);
});

Deno.test("too much metadata is refused with a reason, and the rest goes on", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect();
  const long = Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [`x-${index}`, "v".repeat(100)]),
  );
  await peer.send(
    headers(1, { ...callFields(), ...long }, false),
    data(1, new Uint8Array(1000)),
    lastData(1, 1000),
    request(3),
  );
  const fields = peer.fields(await peer.received("headers", 1));
  assert.equal(fields["grpc-status"], "8");
  assert.equal(fields["grpc-message"], "metadata is longer than 1000 bytes");
  await peer.received("headers", 3, 2);
  assert.equal(bench.streams.length, 1, "the handler saw the other one only");
});

for (
  const [what, each] of [
    ["resets of its own", (id: number) => resetStream(id)],
    // A peer's fault makes us reset the stream, which must not evade the limit.
    ["resets that it provokes", (id: number) => windowUpdate(id, 0)],
  ] as const
) {
  Deno.test(`a peer that goes on with ${what} is ended`, async () => {
    await using bench = new Bench(() => {});
    const peer = await bench.connect();
    const burst = (from: number, count: number) =>
      join(...Array.from({ length: count }, (_, index) => {
        const id = (from + index) * 2 + 1;
        return join(request(id, false), each(id));
      }));
    await peer.send(burst(0, 1900));
    await peer.settled();
    assert.equal(peer.hasEnded, false, "a balancer's cancels are let through");
    await peer.send(burst(1900, 20_000));
    const goAway = await peer.received("goAway");
    assert.equal(Peer.code(goAway), "enhanceYourCalm");
    assert.match(bench.lines[0] ?? "", /^ended .*: too many resets$/);
    await peer.ended;
  });
}

Deno.test("a reset tells the handler, with its code", async () => {
  const codes: number[] = [];
  await using bench = new Bench((stream) =>
    stream.on("close", () => codes.push(stream.rstCode))
  );
  const peer = await bench.connect();
  await peer.send(request(), frame(TYPE.resetStream, 0, 1, uint32s(8)));
  await until(() => codes.length === 1);
  assert.deepEqual(codes, [CODE.cancel]);
});
