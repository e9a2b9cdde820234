/** Malformed messages and frames, generated from a seed. */
import type { Random } from "../../src/core/random.ts";
import { frame, join } from "../../src/core/http2_wire.ts";
import {
  callFields,
  data,
  deadlyPacket,
  headers,
  resetStream,
  settings,
} from "../../src/io/http2_frames.ts";
import { OPENING } from "./raw_calls.ts";

const BODY_BYTES_MAX = 64;

/**
 * The field number of `work_ms`: a random value could ask for a minute of work.
 */
const WORK_FIELD = 2;

/** A whole number from 0 up to, not including, `limit`. */
function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** The field number if this byte starts a tag of one byte or two. */
function fieldOf(byte: number): number {
  return (byte & 0x7f) >>> 3;
}

/** Random bytes instead of a request; they never ask for work. */
export function randomBody(random: Random): Uint8Array {
  return Uint8Array.from(
    { length: below(random, BODY_BYTES_MAX) },
    () => {
      const byte = below(random, 256);
      return fieldOf(byte) === WORK_FIELD ? byte ^ 0x40 : byte;
    },
  );
}

/** A gRPC message: its flag, the length that it claims, its bytes. */
function message(flag: number, length: number, bytes: readonly number[]) {
  return Uint8Array.of(flag, 0, 0, 0, length, ...bytes);
}

/** A whole call that sends these DATA payloads and ends its stream. */
function call(...payloads: readonly Uint8Array[]): Uint8Array {
  return join(
    OPENING,
    headers(1, callFields()),
    ...payloads.map((payload) => data(1, payload)),
    data(1, new Uint8Array(), true),
  );
}

/** Whole SayHello calls that break gRPC's framing, by name. */
export const BAD_CALLS: Readonly<Record<string, Uint8Array>> = {
  "a message that is no protobuf": call(message(0, 3, [255, 255, 255])),
  "a truncated message": call(message(0, 50, [1, 2])),
  "a truncated message header": call(Uint8Array.of(0, 0, 0)),
  "a flag that does not exist": call(message(7, 2, [8, 1])),
  "compressed without an encoding": call(message(1, 1, [0])),
  "empty DATA frames": call(
    ...Array.from({ length: 50 }, () => new Uint8Array()),
  ),
  "no message": call(),
  "two messages": call(message(0, 0, []), message(0, 0, [])),
};

/** Valid exchanges that `randomFrames()` corrupts. */
function templates(path: string): readonly Uint8Array[] {
  const fields = callFields(path);
  return [
    join(headers(1, fields), data(1, message(0, 2, [8, 1]))),
    join(headers(1, fields), resetStream(1), data(1, new Uint8Array(4))),
    join(headers(1, fields), frame(8, 0, 1, Uint8Array.of(0, 0, 0, 1))),
    join(headers(1, fields), headers(3, fields), headers(5, fields)),
    join(headers(1, fields), frame(7, 0, 0, new Uint8Array(8))),
    join(settings(), frame(6, 0, 0, new Uint8Array(8)), headers(1, fields)),
  ];
}

/** The most calls that bytes of `randomFrames()` can start. */
export const CALLS_OF_FRAMES_MAX = 4;

/**
 * An exchange with up to eight wrong bytes, after a valid preface.
 *
 * @param path The method called before the corruption.
 */
export function randomFrames(random: Random, path: string): Uint8Array {
  const all = templates(path);
  const bytes = (all[below(random, all.length)] ?? new Uint8Array()).slice();
  for (let left = 1 + below(random, 8); left > 0; left -= 1) {
    bytes[below(random, bytes.length)] = below(random, 256);
  }
  return join(OPENING, bytes);
}

/** What crashes a plain grpc-js server, after a valid preface. */
export function deadlyBytes(): Uint8Array {
  return join(OPENING, frame(4, 1, 0), deadlyPacket());
}
