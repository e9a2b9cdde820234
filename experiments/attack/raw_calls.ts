/** Calls as bytes, for peers that do not behave like clients. */
import {
  join,
  PAYLOAD_BYTES_MAX,
  PREFACE,
  SETTING,
  uint32s,
} from "../../src/core/http2_wire.ts";
import {
  callFields,
  data,
  headerBlock,
  headers,
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

/** The id of a connection's stream by its index, from 0 on. */
function streamAt(index: number): number {
  return 1 + 2 * index;
}

/**
 * A gRPC message with a text in field 1.
 *
 * @param textBytes 128 to 1024.
 * @param further Further fields, as raw bytes.
 */
export function textMessage(
  textBytes: number,
  ...further: readonly number[]
): Uint8Array {
  const body = join(
    Uint8Array.of(0x0a, textBytes & 0x7f | 0x80, textBytes >>> 7),
    new Uint8Array(textBytes).fill(0x61),
    Uint8Array.from(further),
  );
  const head = Uint8Array.of(0, 0, 0, body.length >>> 8, body.length & 0xff);
  return join(head, body);
}

/** A request of StreamHellos for 100,000 replies without a pause. */
export function manyHellos(nameBytes: number): Uint8Array {
  return textMessage(nameBytes, 0x10, 0xa0, 0x8d, 0x06);
}

/**
 * A call with its request, in as many frames as that takes.
 *
 * @param index Its place among the connection's calls, from 0 on.
 * @param method A method of the Greeter.
 * @param isEnd Whether the request ends; a server starts to stream only then.
 */
export function callAt(
  index: number,
  method: string,
  request: Uint8Array,
  isEnd: boolean,
): Uint8Array {
  const stream = streamAt(index);
  const frames = [headers(stream, callFields(`/demo.v1.Greeter/${method}`))];
  for (let at = 0; at < request.length; at += PAYLOAD_BYTES_MAX) {
    const part = request.subarray(at, at + PAYLOAD_BYTES_MAX);
    const isLast = at + part.length === request.length;
    frames.push(data(stream, part, isEnd && isLast));
  }
  return join(...frames);
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
  const request = manyHellos(nameBytes);
  const calls = Array.from(
    { length: count },
    (_, index) => callAt(index, "StreamHellos", request, true),
  );
  return join(opening, ...calls);
}

/** SayHello calls that are opened and never continued, some in each part. */
export function* openCalls(count: number): Generator<Uint8Array> {
  const AT_ONCE = 128;
  yield OPENING;
  for (let first = 0; first < count; first += AT_ONCE) {
    const calls = Array.from(
      { length: Math.min(AT_ONCE, count - first) },
      (_, index) => callAt(first + index, "SayHello", new Uint8Array(), false),
    );
    yield join(...calls);
  }
}

/** Calls whose message lacks its last byte, one call in each part. */
export function* partialMessages(
  count: number,
  messageBytes: number,
): Generator<Uint8Array> {
  const message = join(
    Uint8Array.of(0),
    uint32s(messageBytes),
    new Uint8Array(messageBytes - 1),
  );
  yield OPENING;
  for (let index = 0; index < count; index += 1) {
    yield callAt(index, "SayHello", message, false);
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
  const call = headerBlock(callFields());
  const long = literal("x-long", "a".repeat(headerBytes), true);
  const again = new Uint8Array(references).fill(FIRST_REMEMBERED);
  const calls = Array.from(
    { length: count },
    (_, index) => headersOf(streamAt(index + 1), join(call, again)),
  );
  return join(OPENING, headersOf(streamAt(0), join(call, long)), ...calls);
}

/** One whole call with an empty message, on a connection of its own. */
export function wholeCall(path: string): Uint8Array {
  return join(
    OPENING,
    headers(1, callFields(path)),
    data(1, new Uint8Array(5), true), // A message of 0 bytes: all defaults.
  );
}
