/** Peers and handlers that act at random: nothing is held afterwards. */
import assert from "node:assert/strict";
import {
  FLAG,
  frame,
  SETTING,
  settingsPayload,
  TYPE,
} from "../../core/http2_wire.ts";
import { type Random, seededRandom } from "../../core/random.ts";
import {
  callFields,
  data,
  headers,
  resetStream,
} from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";
import { Bench, type Peer, windowUpdate } from "./_peer.ts";
import type { Stream } from "./stream.ts";

const PEERS = 4;
const STEPS = 120;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** What handlers do, each at some moment. */
const HANDLINGS: readonly ((stream: Stream, random: Random) => void)[] = [
  (stream) => stream.pause(),
  (stream) => stream.resume(),
  (stream) => stream.close(8),
  (stream) => stream.respond({}, { endStream: true }),
  (stream, random) => {
    stream.respond({ "x-long": "v".repeat(random() * 2000) });
    stream.write(new Uint8Array(random() * 100_000), () => {});
    if (random() < 0.5) return;
    stream.once("wantTrailers", () => stream.sendTrailers({}));
    stream.end();
  },
];

/** What peers send, on streams that may or may not be open. */
const SENDINGS:
  readonly ((random: Random, next: () => number) => Uint8Array)[] = [
    (random, next) => headers(next(), callFields(), random() < 0.5),
    (random, next) => headers(next(), callFields(), random() < 0.5),
    (random, next) => headers(next(), { a: "b" }, random() < 0.5),
    (_, next) => headers(next(), { ...callFields(), long: "v".repeat(120) }),
    (random) => data(some(random), new Uint8Array(random() * 16_000)),
    (random) => frame(TYPE.data, FLAG.endStream, some(random)),
    (random) =>
      frame(
        TYPE.data,
        FLAG.padded,
        some(random),
        new Uint8Array(1 + random() * 99),
      ),
    (random) => resetStream(some(random)),
    (random) => windowUpdate(some(random), 1 + random() * 50_000),
    (random) => windowUpdate(0, 1 + random() * 50_000),
    () => frame(TYPE.ping, 0, 0, new Uint8Array(8)),
    (random) =>
      frame(
        TYPE.settings,
        0,
        0,
        settingsPayload([[SETTING.initialWindowSize, random() * 70_000]]),
      ),
  ];

/** A stream that may have been opened by now. */
function some(random: Random): number {
  return 1 + 2 * Math.floor(random() * 30);
}

/** Lets some or all of what was sent arrive. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Acts for a while, and finally resets all its streams. */
async function misbehave(peer: Peer, random: Random): Promise<void> {
  let lastId = -1;
  const next = () => lastId += 2;
  // Frames on idle streams end the connection, so some are opened first.
  while (lastId < 61) await peer.call(next(), random() < 0.3);
  for (let step = 0; step < STEPS && !peer.hasEnded; step += 1) {
    const bytes = pick(random, SENDINGS)(random, next);
    const cut = random() < 0.3 ? Math.floor(random() * bytes.length) : 0;
    await peer.send(bytes.subarray(0, cut));
    if (random() < 0.2) await turn();
    await peer.send(bytes.subarray(cut));
  }
  if (random() < 0.2) {
    peer.close();
    return;
  }
  await peer.send(windowUpdate(0, 0x3fff_ffff));
  for (let id = 1; id <= lastId; id += 2) await peer.send(resetStream(id));
  await peer.settled();
}

for (let seed = 1; seed <= 20; seed += 1) {
  Deno.test(`after random frames and handlers nothing is held, seed ${seed}`, async () => {
    const random = seededRandom(seed);
    await using bench = new Bench((stream) => {
      stream.on("data", () => {
        if (random() < 0.3) pick(random, HANDLINGS)(stream, random);
      });
      stream.on("end", () => pick(random, HANDLINGS)(stream, random));
      if (random() < 0.3) pick(random, HANDLINGS)(stream, random);
    }, {
      concurrentStreamsMax: 50,
      headerListBytesMax: 450,
      heldBytesMax: 3_000_000 + random() * 3_000_000,
    });
    const peers = await Promise.all(
      Array.from({ length: PEERS }, () => bench.connect()),
    );
    await Promise.all(peers.map((peer) => misbehave(peer, random)));
    peers.filter((peer) => peer.hasEnded).forEach((peer) => peer.close());
    for (const connection of bench.connections) {
      await until(() =>
        connection.destroyed ||
        connection.streams.count === 0 && connection.heldBytes <= 14_336 + 2048
      );
    }
    peers.forEach((peer) => peer.close());
    await until(() => bench.listener.connectionCount === 0);
    assert.equal(bench.listener.heldBytes, 0);
    assert.ok(bench.streams.length > 100, `${bench.streams.length} streams`);
    assert.deepEqual(bench.streams.filter(({ closed }) => !closed), []);
    assert.doesNotMatch(bench.lines.join("\n"), /defect/);
  });
}
