/** Calls as bytes, for peers that do not read what comes back. */
import { frame, join, PREFACE } from "../../src/core/http2_wire.ts";
import {
  callFields,
  data,
  headers,
  settings,
} from "../../src/io/http2_frames.ts";

const END_STREAM = 0x1;

/**
 * A connection's opening and a call of StreamHellos, for 100,000 replies
 * without a pause.
 *
 * @param nameBytes Length of the name, and so about of each reply: 128 to 1024.
 */
export function endlessStream(nameBytes: number): Uint8Array {
  const body = join(
    Uint8Array.of(0x0a, nameBytes & 0x7f | 0x80, nameBytes >>> 7),
    new Uint8Array(nameBytes).fill(0x61),
    Uint8Array.of(0x10, 0xa0, 0x8d, 0x06), // count: 100,000
  );
  const message = join(
    Uint8Array.of(0, 0, 0, body.length >>> 8, body.length & 0xff),
    body,
  );
  return join(
    PREFACE,
    settings(),
    headers(1, {
      ...callFields(),
      ":path": "/demo.v1.Greeter/StreamHellos",
    }),
    data(1, message),
    frame(0, END_STREAM, 1),
  );
}
