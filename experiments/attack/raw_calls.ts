/** Calls as bytes, for peers that do not behave like clients. */
import { join, PREFACE, SETTING } from "../../src/core/http2_wire.ts";
import {
  callFields,
  data,
  headerBlock,
  headersOf,
  literal,
  settings,
} from "../../src/io/http2_frames.ts";

/** The newest field in the peer's dynamic table (RFC 7541, section 2.3.3). */
const FIRST_REMEMBERED = 0x80 | 62;

/** The start of every connection. */
export const OPENING: Uint8Array = join(PREFACE, settings());

/** The same from a peer that accepts no byte of any reply. */
export const ZERO_WINDOW_OPENING: Uint8Array = join(
  PREFACE,
  settings([[SETTING.initialWindowSize, 0]]),
);

const SAY_HELLO = headerBlock(callFields());

const STREAM_HELLOS = headerBlock(
  callFields("application/grpc", "StreamHellos"),
);

/** The id of a connection's stream by its index, from 0 on. */
function streamAt(index: number): number {
  return 1 + 2 * index;
}

/** StreamHellos calls, each for 100,000 replies without a pause. */
function streams(nameBytes: number, count: number): Uint8Array {
  const body = join(
    Uint8Array.of(0x0a, nameBytes & 0x7f | 0x80, nameBytes >>> 7),
    new Uint8Array(nameBytes).fill(0x61),
    Uint8Array.of(0x10, 0xa0, 0x8d, 0x06), // count: 100,000
  );
  const message = join(
    Uint8Array.of(0, 0, 0, body.length >>> 8, body.length & 0xff),
    body,
  );
  return join(...Array.from({ length: count }, (_, index) =>
    join(
      headersOf(streamAt(index), STREAM_HELLOS),
      data(streamAt(index), message, true),
    )));
}

/**
 * Calls of StreamHellos, each for 100,000 replies without a pause.
 *
 * @param nameBytes Length of the name, and so roughly of each reply: 128 to
 * 1024.
 * @param count How many calls (default 1).
 * @param opening What the connection begins with (default `OPENING`).
 */
export function endlessStreams(
  nameBytes: number,
  count = 1,
  opening: Uint8Array = OPENING,
): Uint8Array {
  return join(opening, streams(nameBytes, count));
}

/** SayHello calls that are opened and never continued, some in each part. */
export function* openCalls(count: number): Generator<Uint8Array> {
  const AT_ONCE = 128;
  yield OPENING;
  for (let first = 0; first < count; first += AT_ONCE) {
    const calls = Array.from(
      { length: Math.min(AT_ONCE, count - first) },
      (_, index) => headersOf(streamAt(first + index), SAY_HELLO),
    );
    yield join(...calls);
  }
}

/** Calls whose message lacks its last byte, one call in each part. */
export function* partialMessages(
  count: number,
  messageBytes: number,
): Generator<Uint8Array> {
  const FRAME_BYTES = 16_384;
  yield OPENING;
  for (let index = 0; index < count; index += 1) {
    const stream = streamAt(index);
    const head = new DataView(new ArrayBuffer(5));
    head.setUint32(1, messageBytes);
    const frames = [
      headersOf(stream, SAY_HELLO),
      data(stream, new Uint8Array(head.buffer)),
    ];
    for (let left = messageBytes - 1; left > 0; left -= FRAME_BYTES) {
      frames.push(data(stream, new Uint8Array(Math.min(left, FRAME_BYTES))));
    }
    yield join(...frames);
  }
}

/**
 * A long header that goes into the peer's dynamic table, and calls that refer
 * to it again and again: a few bytes each, and a lot to hold.
 *
 * @param headerBytes Its length; the table holds no entry of 4096 bytes or
 * more.
 * @param count How many calls.
 * @param references How often each call refers to it.
 */
export function headerBomb(
  headerBytes: number,
  count: number,
  references: number,
): Uint8Array {
  const long = literal("x-long", "a".repeat(headerBytes), true);
  const again = new Uint8Array(references).fill(FIRST_REMEMBERED);
  const calls = Array.from(
    { length: count },
    (_, index) => headersOf(streamAt(index + 1), join(SAY_HELLO, again)),
  );
  return join(OPENING, headersOf(streamAt(0), join(SAY_HELLO, long)), ...calls);
}

/** One whole call with an empty message, on a connection of its own. */
export function wholeCall(path: string): Uint8Array {
  return join(
    OPENING,
    headersOf(1, headerBlock({ ...callFields(), ":path": path })),
    data(1, new Uint8Array(5), true), // A message of 0 bytes: all defaults.
  );
}
