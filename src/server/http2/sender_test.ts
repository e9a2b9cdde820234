import assert from "node:assert/strict";
import { CODE, frame, HEAD_BYTES, join, TYPE } from "../../core/http2_wire.ts";
import { framesIn, type ReceivedFrame } from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";
import { FakeSocket } from "./_fake_socket.ts";
import { Connection } from "./connection.ts";
import { Sender } from "./sender.ts";
import type { Stream } from "./stream.ts";

/** A sender, and the bytes it holds. */
function senderOn(
  socket: FakeSocket,
): { sender: Sender; held: () => number; lost: () => number } {
  let held = 0;
  let lost = 0;
  const sender: Sender = new Sender(socket, {
    onHeld: (delta) => held += delta,
    onLost: () => {
      lost += 1;
      sender.close();
    },
  });
  return { sender, held: () => held, lost: () => lost };
}

/** A stream with `bytes` to send. */
function streamOf(id: number, bytes: number, sendWindow = Infinity): Stream {
  const stream = {
    id,
    sendWindow,
    takeOutput: (max: number) => {
      const count = Math.min(max, bytes);
      bytes -= count;
      stream.sendWindow -= count;
      return count === 0 ? undefined : new Uint8Array(count);
    },
  };
  return stream as unknown as Stream;
}

function dataOf(frames: readonly ReceivedFrame[]): [number, number][] {
  return frames.filter(({ type }) => type === TYPE.data)
    .map(({ stream, length }) => [stream, length]);
}

const PING = [TYPE.ping, 0, 0, new Uint8Array(8)] as const;

Deno.test("Sender writes all frames of a turn at once, and all of each write", async () => {
  const socket = new FakeSocket();
  const { sender, held } = senderOn(socket);
  sender.send(...PING);
  sender.send(...PING);
  assert.equal(held(), 34);
  await socket.take(20);
  assert.equal(held(), 34, "what is written in part is still held");
  assert.equal(socket.writing?.length, 14);
  sender.send(...PING);
  await socket.take();
  assert.equal(held(), 17);
  await socket.take();
  assert.equal(held(), 0);
  assert.deepEqual(
    socket.taken,
    join(frame(...PING), frame(...PING), frame(...PING)),
  );
});

Deno.test("Sender queues 64 KiB of data and a frame, and the rest when they have left", async () => {
  const socket = new FakeSocket();
  const { sender, held } = senderOn(socket);
  sender.grant(100_000_000);
  sender.ready(streamOf(1, 1_000_000));
  const frameBytes = HEAD_BYTES + 16_384;
  assert.equal(held(), 4 * frameBytes);
  for (let taken = 0; taken < 1_000_000; taken += 4 * 16_384) {
    assert.ok(held() <= 4 * frameBytes);
    await socket.take();
  }
  assert.equal(held(), 0);
  const { frames, rest } = framesIn(socket.taken);
  assert.equal(rest.length, 0);
  assert.equal(
    dataOf(frames).reduce((sum, [, length]) => sum + length, 0),
    1_000_000,
  );
  assert.ok(frames.every(({ length }) => length <= 16_384));
});

Deno.test("Sender gives each stream its turn", async () => {
  const socket = new FakeSocket();
  const { sender } = senderOn(socket);
  sender.grant(1_000_000);
  // Both wait until this is sent.
  for (let bytes = 0; bytes < 65_536; bytes += 17) sender.send(...PING);
  sender.ready(streamOf(1, 40_000));
  sender.ready(streamOf(3, 20_000));
  await socket.take();
  await socket.take();
  assert.deepEqual(dataOf(framesIn(socket.taken).frames), [
    [1, 16_384],
    [3, 16_384],
    [1, 16_384],
    [3, 3616],
    [1, 7232],
  ]);
});

Deno.test("Sender keeps to both windows", async () => {
  const socket = new FakeSocket();
  const { sender } = senderOn(socket);
  sender.ready(streamOf(1, 100, 30));
  sender.ready(streamOf(3, 100_000));
  await socket.take();
  // 65,535 bytes are allowed to all of them together.
  const sum = dataOf(framesIn(socket.taken).frames)
    .reduce((bytes, [, length]) => bytes + length, 0);
  assert.equal(sum, 65_535);
  assert.equal(sender.grant(0x7fff_ffff), true);
  assert.equal(sender.grant(0x7fff_ffff), false, "beyond 31 bits");
});

Deno.test("Sender.drained() waits while more than 256 KiB wait", async () => {
  const socket = new FakeSocket();
  const { sender } = senderOn(socket);
  for (let bytes = 0; bytes <= 262_144; bytes += 17) sender.send(...PING);
  let isDrained = false;
  void sender.drained().then(() => isDrained = true);
  await socket.take(17);
  assert.equal(isDrained, false);
  await socket.take();
  assert.equal(isDrained, true);
});

Deno.test("Sender is stalled when nothing is taken for 30 s, not when little is", async () => {
  const socket = new FakeSocket();
  const { sender } = senderOn(socket);
  assert.equal(sender.isStalled(Infinity), false, "nothing is written");
  const beforeMs = performance.now();
  sender.send(...PING);
  await until(() => sender.isWriting);
  assert.equal(sender.isStalled(beforeMs + 30_000), false);
  assert.equal(sender.isStalled(performance.now() + 30_001), true);
  const laterMs = performance.now();
  await socket.take(1);
  assert.equal(sender.isStalled(laterMs + 30_000), false);
  await socket.take();
  assert.equal(sender.isStalled(Infinity), false);
});

Deno.test("Sender.end() sends what waits, and then the end", async () => {
  const socket = new FakeSocket();
  const { sender } = senderOn(socket);
  sender.send(...PING);
  const ended = sender.end();
  await until(() => sender.isWriting);
  assert.equal(socket.hasEnded, false);
  await socket.take();
  await ended;
  assert.equal(socket.hasEnded, true);
});

Deno.test("Sender.discard() drops what has not begun to leave", async () => {
  const socket = new FakeSocket();
  const { sender, held } = senderOn(socket);
  sender.send(...PING);
  await until(() => sender.isWriting);
  sender.send(...PING);
  sender.discard();
  assert.equal(held(), 17);
  await socket.take();
  assert.equal(held(), 0);
  assert.equal(socket.taken.length, 17);
});

Deno.test("whatever the error of a write, the peer is lost and nothing throws", async () => {
  for (const error of [new Error("EHOSTUNREACH"), new TypeError("odd")]) {
    const socket = new FakeSocket();
    const { sender, lost } = senderOn(socket);
    sender.send(...PING);
    await socket.fail(error);
    assert.equal(lost(), 1);
    sender.send(...PING);
    await sender.drained();
  }
});

/** A connection on a socket, and what it holds. */
function connectionOn(
  socket: FakeSocket,
): { connection: Connection; held: () => number; running: Promise<void> } {
  let held = 0;
  const connection = new Connection(
    socket as unknown as Deno.TcpConn,
    { concurrentStreamsMax: 1, headerListBytesMax: 1000 },
    { onStream() {}, onHeld: (delta) => held += delta, onFailed() {} },
  );
  return { connection, held: () => held, running: connection.run() };
}

/** Waits until reading stops. */
async function silence(socket: FakeSocket): Promise<number> {
  await until(() => socket.writing !== undefined);
  let reads = -1;
  while (reads !== socket.reads) {
    reads = socket.reads;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return reads;
}

const PINGS = join(...Array.from({ length: 100 }, () => frame(...PING)));

Deno.test("a peer that takes no answers is not read, and then goes on", async () => {
  const socket = new FakeSocket(PINGS);
  const { connection, held, running } = connectionOn(socket);
  const reads = await silence(socket);
  assert.ok(reads > 100, `${reads} reads`);
  assert.ok(held() < 300_000, `${held()} bytes are held`);
  await socket.take();
  await until(() => socket.reads > reads);
  connection.destroy();
  await running;
  assert.equal(held(), 0);
});

Deno.test("what has not begun to leave is given back when a peer is ended", async () => {
  const socket = new FakeSocket();
  const { connection, held, running } = connectionOn(socket);
  await socket.take();
  const before = held();
  for (let count = 0; count < 1000; count += 1) connection.ping(() => {});
  assert.equal(held(), before + 17_000);
  connection.endBecause(CODE.enhanceYourCalm, "too much is held");
  assert.ok(held() < before + 100, "all but the GOAWAY");
  connection.destroy();
  await running;
});

Deno.test("what a peer does not take is given back as soon as it is ended", async () => {
  const socket = new FakeSocket(PINGS);
  const { connection, held, running } = connectionOn(socket);
  await silence(socket);
  connection.endBecause(CODE.enhanceYourCalm, "too much is held");
  assert.equal(held(), 0);
  await running;
});
