/** Raw HTTP/2 frames, for peers that break the protocol on purpose. */
import {
  CODE,
  FLAG,
  frame,
  type Head,
  HEAD_BYTES,
  headAt,
  join,
  putInteger,
  settingsPayload,
  TYPE,
  uint32s,
} from "../core/http2_wire.ts";

const encoder = new TextEncoder();

/**
 * A SETTINGS frame.
 *
 * @param values Settings by their numbers (default none).
 */
export function settings(
  values: readonly (readonly [id: number, value: number])[] = [],
): Uint8Array {
  return frame(TYPE.settings, 0, 0, settingsPayload(values));
}

/**
 * A literal header field with a new name (RFC 7541, section 6.2).
 *
 * @param isIndexed Whether the peer must add it to its dynamic table.
 */
export function literal(
  name: string,
  value: string,
  isIndexed = false,
): Uint8Array {
  const bytes = [isIndexed ? 0x40 : 0];
  for (const text of [name, value]) {
    const encoded = encoder.encode(text);
    putInteger(bytes, 0, 7, encoded.length);
    bytes.push(...encoded);
  }
  return Uint8Array.from(bytes);
}

/** Header fields, none of them indexed, as a HEADERS frame carries them. */
export function headerBlock(
  fields: Readonly<Record<string, string>>,
): Uint8Array {
  return join(
    ...Object.entries(fields).map(([name, value]) => literal(name, value)),
  );
}

/** A HEADERS frame with a whole header block. */
export function headersOf(
  stream: number,
  block: Uint8Array,
  isEnd = false,
): Uint8Array {
  const flags = FLAG.endHeaders | (isEnd ? FLAG.endStream : 0);
  return frame(TYPE.headers, flags, stream, block);
}

/** A HEADERS frame; its fields are not indexed. */
export function headers(
  stream: number,
  fields: Readonly<Record<string, string>>,
  isEnd = false,
): Uint8Array {
  return headersOf(stream, headerBlock(fields), isEnd);
}

/** A DATA frame. */
export function data(
  stream: number,
  payload: Uint8Array,
  isEnd = false,
): Uint8Array {
  return frame(TYPE.data, isEnd ? FLAG.endStream : 0, stream, payload);
}

/** A RST_STREAM frame with the error code CANCEL. */
export function resetStream(stream: number): Uint8Array {
  return frame(TYPE.resetStream, 0, stream, uint32s(CODE.cancel));
}

/** A frame as it was received. */
export interface ReceivedFrame extends Head {
  readonly payload: Uint8Array;
}

/** Whether a frame answers or ends its stream. */
export function isAnswer({ type }: Pick<Head, "type">): boolean {
  return type === TYPE.headers || type === TYPE.resetStream ||
    type === TYPE.goAway;
}

/** Whether a frame is the last one of its stream. */
export function isEnd({ type, flags }: Pick<Head, "type" | "flags">): boolean {
  if (type === TYPE.resetStream) return true;
  return (type === TYPE.headers || type === TYPE.data) &&
    (flags & FLAG.endStream) !== 0;
}

/** Splits received bytes into frames. @returns The frames, and the rest. */
export function framesIn(
  bytes: Uint8Array,
): { readonly frames: readonly ReceivedFrame[]; readonly rest: Uint8Array } {
  const frames: ReceivedFrame[] = [];
  let at = 0;
  while (bytes.length - at >= HEAD_BYTES) {
    const head = headAt(bytes, at);
    const end = at + HEAD_BYTES + head.length;
    if (end > bytes.length) break;
    frames.push({ ...head, payload: bytes.subarray(at + HEAD_BYTES, end) });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

/**
 * Two HEADERS frames on one half-closed stream, in one packet, with a content
 * type that is not gRPC's: the peer error that crashes a plain grpc-js server.
 * The session is gone before the first request is handled, and the refusal is
 * written to a stream that no longer exists.
 */
export function deadlyPacket(): Uint8Array {
  const fields = { ...callFields(), "content-type": "text/plain" };
  const request = headers(1, fields, true);
  return join(request, request);
}

/** The header fields of a gRPC call. */
export function callFields(
  path = "/demo.v1.Greeter/SayHello",
): Readonly<Record<string, string>> {
  return {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
  };
}
