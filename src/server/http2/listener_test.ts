/** What is held for peers, and whose connection is closed for it. */
import assert from "node:assert/strict";
import {
  FLAG,
  frame,
  join,
  PREFACE,
  SETTING,
  settingsPayload,
  TYPE,
} from "../../core/http2_wire.ts";
import {
  callFields,
  data,
  headers,
  resetStream,
  settings,
} from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";
import { answer, Bench, Peer, windowUpdate } from "./_peer.ts";
import type { Stream } from "./stream.ts";

/** A peer with no window until it opens one. */
const NO_WINDOW = join(
  PREFACE,
  frame(
    TYPE.settings,
    0,
    0,
    settingsPayload([[SETTING.initialWindowSize, 0]]),
  ),
);

/** Answers with `bytes` bytes at once. */
function answerWith(stream: Stream, bytes: number): void {
  stream.respond({});
  stream.once("wantTrailers", () => stream.sendTrailers({}));
  stream.write(new Uint8Array(bytes), () => {});
  stream.end();
}

const begin = (stream: number) => headers(stream, callFields());
const CUT_FRAME = data(1, new Uint8Array(5000)).subarray(0, 2000);

Deno.test("an answer waits for the window, and goes on with it", async () => {
  await using bench = new Bench((stream) => answerWith(stream, 10));
  const peer = await bench.connect(NO_WINDOW);
  await peer.call(1);
  await peer.received("headers", 1);
  await peer.settled();
  assert.equal(peer.dataBytes(1), 0);
  await peer.send(windowUpdate(1, 4));
  await peer.settled();
  assert.equal(peer.dataBytes(1), 4);
  await peer.send(windowUpdate(1, 6));
  await peer.received("headers", 1, 2);
  assert.equal(peer.dataBytes(1), 10);
});

Deno.test("settings make windows of open streams larger, or take them away", async () => {
  await using bench = new Bench((stream) => answerWith(stream, 70_000));
  const peer = await bench.connect();
  const setWindow = (bytes: number) =>
    peer.send(frame(
      TYPE.settings,
      0,
      0,
      settingsPayload([[SETTING.initialWindowSize, bytes]]),
    ));
  await peer.send(windowUpdate(0, 1_000_000));
  await peer.call(1);
  await until(() => peer.dataBytes(1) === 65_535);
  await setWindow(65_000);
  await peer.send(windowUpdate(1, 536));
  await peer.settled();
  assert.equal(peer.dataBytes(1), 65_536, "535 of them were owed");
  await setWindow(100_000);
  await peer.received("headers", 1, 2);
  assert.equal(peer.dataBytes(1), 70_000);
});

for (
  const [state, onStream, packet] of [
    ["open", () => {}, begin(1)],
    ["half closed", () => {}, headers(1, callFields(), true)],
    ["with data that is not read", (stream: Stream) => {
      stream.pause();
    }, join(begin(1), data(1, new Uint8Array(5000)))],
    ["with a part of a message", (stream: Stream) => {
      stream.on("data", () => {});
    }, join(begin(1), data(1, Uint8Array.of(0, 0, 0, 9, 9, 1)))],
    ["with an answer that has no window", (stream: Stream) => {
      answerWith(stream, 100_000);
    }, begin(1)],
    ["with an answer, but not the whole request", (stream: Stream) => {
      stream.respond({}, { endStream: true });
    }, join(begin(1), data(1, new Uint8Array(5000)))],
    ["that was just reset", (stream: Stream) => {
      stream.close(8);
    }, join(begin(1), data(1, new Uint8Array(5000)))],
    ["whose handler throws", () => {
      throw new Error("no");
    }, begin(1)],
    [
      "with trailers that have begun",
      () => {},
      join(
        begin(1),
        frame(TYPE.headers, FLAG.endStream, 1, new Uint8Array(3000)),
      ),
    ],
    ["in the middle of a frame", () => {}, join(begin(1), CUT_FRAME)],
  ] as const
) {
  for (
    const [how, end] of [
      ["the peer closes", (peer: Peer) => peer.close()],
      ["the peer resets it and closes", async (peer: Peer) => {
        await peer.send(resetStream(1));
        peer.close();
      }],
      ["we drop the peer", (_: Peer, bench: Bench) => {
        bench.connections.forEach((one) => bench.listener.drop(one.peer));
      }],
      ["we close", (_: Peer, bench: Bench) => bench.listener.close(0)],
    ] as const
  ) {
    Deno.test(`nothing is held for a stream ${state} when ${how}`, async () => {
      await using bench = new Bench(onStream);
      const peer = await bench.connect(NO_WINDOW);
      await peer.send(packet);
      await until(() => bench.streams.length === 1);
      if (!bench.streams[0]?.closed) {
        assert.ok(bench.listener.heldBytes > 20_000);
      }
      await end(peer, bench);
      await until(() => bench.listener.connectionCount === 0);
      assert.equal(bench.listener.heldBytes, 0);
    });
  }
}

Deno.test("what a stream held is given back when it ends, and no more", async () => {
  await using bench = new Bench((stream) => answerWith(stream, 50_000));
  const peer = await bench.connect(NO_WINDOW);
  await peer.settled();
  const [connection] = bench.connections;
  const idleBytes = 14_336 + 2048;
  await until(() => connection?.heldBytes === idleBytes);
  await peer.send(
    headers(1, callFields(), true),
    headers(3, callFields(), true),
  );
  await peer.settled();
  await until(() =>
    connection?.heldBytes === idleBytes + 2 * (12_288 + 50_000)
  );
  await peer.send(resetStream(1), windowUpdate(3, 50_000));
  await peer.received("headers", 3, 2);
  await until(() => connection?.heldBytes === idleBytes);
});

Deno.test("what has come of a frame and of a header block is counted", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect();
  await peer.settled();
  const [connection] = bench.connections;
  await until(() => connection?.heldBytes === 14_336 + 2048);
  await peer.send(
    frame(TYPE.headers, 0, 1, new Uint8Array(1000)),
    frame(TYPE.continuation, 0, 1, new Uint8Array(700)).subarray(0, 300),
  );
  await until(() => connection?.heldBytes === 14_336 + 2048 + 1000 + 300);
});

Deno.test("when too much is held, only the connection that holds most is closed", async () => {
  await using bench = new Bench((stream, fields) => {
    answerWith(stream, Number(fields["x-bytes"]));
  }, { heldBytesMax: 1_000_000 });
  const call = (stream: number, bytes: number) =>
    headers(stream, { ...callFields(), "x-bytes": String(bytes) }, true);
  const modest = await bench.connect(NO_WINDOW);
  await modest.send(call(1, 200_000));
  await modest.settled();
  const silent = await bench.connect(new Uint8Array());
  const greedy = await bench.connect(NO_WINDOW);
  await greedy.send(call(1, 300_000), call(3, 300_000));
  await greedy.settled();
  assert.equal(greedy.hasEnded, false);
  await modest.send(call(3, 200_000));
  assert.equal(Peer.code(await greedy.received("goAway")), "enhanceYourCalm");
  await greedy.ended;
  await modest.settled();
  await modest.send(windowUpdate(1, 200_000), windowUpdate(0, 1_000_000));
  await modest.received("headers", 1, 2);
  assert.deepEqual([modest.hasEnded, silent.hasEnded], [false, false]);
  assert.equal(bench.lines.length, 1);
  assert.match(
    bench.lines[0] ?? "",
    /^ended the connection with [\d.:]+: 6\d\d KiB are held for it, in 2 streams$/,
  );
});

Deno.test("no handler sees a call for which there is no room", async () => {
  await using bench = new Bench(answer, { heldBytesMax: 20_000 });
  const peer = await bench.connect();
  await peer.settled();
  await peer.call(1);
  assert.equal(Peer.code(await peer.received("goAway")), "enhanceYourCalm");
  assert.equal(bench.streams.length, 0);
});

Deno.test("frames after the end of a connection do nothing", async () => {
  await using bench: Bench = new Bench(() => {
    bench.connections.forEach(({ peer }) => bench.listener.drop(peer));
  });
  const peer = await bench.connect();
  await peer.settled();
  await peer.send(begin(1), begin(3), begin(5));
  await peer.ended;
  assert.equal(bench.streams.length, 1);
  assert.equal(bench.listener.heldBytes, 0);
});

Deno.test("a listener that refuses closes new connections, and keeps the others", async () => {
  await using bench = new Bench(answer);
  const first = await bench.connect();
  await first.settled();
  bench.listener.setRefusing(true);
  await (await bench.connect()).ended;
  await first.call(1);
  await first.received("headers", 1, 2);
  bench.listener.setRefusing(false);
  const third = await bench.connect();
  await third.settled();
  assert.equal(third.hasEnded, false);
});

Deno.test("the 1025th connection is closed, and the first one goes on", async () => {
  await using bench = new Bench(answer);
  const peers: Peer[] = [];
  for (let count = 0; count < 1024; count += 1) {
    peers.push(await bench.connect());
  }
  await until(() => bench.listener.connectionCount === 1024);
  await (await bench.connect()).ended;
  assert.deepEqual(bench.lines, ["refusing a new connection: 1024 are open"]);
  await peers[0]?.call(1);
  await peers[0]?.received("headers", 1, 2);
  peers[1]?.close();
  await until(() => bench.listener.connectionCount === 1023);
  const next = await bench.connect();
  await next.settled();
  assert.equal(next.hasEnded, false);
});

Deno.test("close() cancels what is left after the deadline, and logs it", async () => {
  await using bench = new Bench((stream, fields) => {
    if (fields["x-answered"] !== undefined) answer(stream);
  });
  const peer = await bench.connect();
  await peer.send(
    begin(1),
    headers(3, { ...callFields(), "x-answered": "1" }, true),
  );
  await peer.received("headers", 3, 2);
  await bench.listener.close(20);
  await peer.ended;
  assert.equal(
    peer.frames.filter(({ type }) => type === TYPE.goAway).length,
    1,
  );
  assert.deepEqual(bench.lines, [
    "cancelling the calls still open after 20 ms",
  ]);
  assert.equal(bench.listener.heldBytes, 0);
  await assert.rejects(bench.connect(), { name: "ConnectionRefused" });
});

Deno.test("close() does not wait when all is idle", async () => {
  await using bench = new Bench(answer);
  const peer = await bench.connect(join(PREFACE, settings()));
  await peer.settled();
  const closed = bench.listener.close(60_000);
  const { payload } = await peer.received("ping");
  await peer.send(frame(TYPE.ping, FLAG.ack, 0, payload));
  await peer.ended;
  peer.close();
  await closed;
  assert.deepEqual(bench.lines, []);
});
