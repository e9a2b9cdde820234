/** The frames of HTTP/2 as bytes (RFC 9113, sections 4, 6 and 7). */

/** Frame types. */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags; `ack` and `endStream` are the same bit in different frames. */
export const FLAG = {
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Error codes. */
export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/** Settings. */
export const SETTING = {
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Every frame begins with its length, type, flags and stream. */
export const HEAD_BYTES = 9;

/** The longest payload accepted and sent: the protocol's default. */
export const PAYLOAD_BYTES_MAX = 16_384;

/** Windows and stream ids have 31 bits. */
export const INT31_MAX = 0x7fff_ffff;

/** The initial window of every connection, and of streams by default. */
export const WINDOW_BYTES_DEFAULT = 65_535;

/** What a client sends first. */
export const PREFACE: Uint8Array = new TextEncoder().encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** A frame's head. */
export interface Head {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  /** 0 is the connection itself. */
  readonly stream: number;
}

/** An unsigned number of 32 bits. */
export function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) * 2 ** 24) + ((bytes[at + 1] ?? 0) << 16 |
    (bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0));
}

/** The head that begins at `at`; all its bytes must be there. */
export function headAt(bytes: Uint8Array, at: number): Head {
  return {
    length: uint32(bytes, at) >>> 8,
    type: bytes[at + 3] ?? 0,
    flags: bytes[at + 4] ?? 0,
    stream: uint32(bytes, at + 5) & INT31_MAX,
  };
}

/** A whole frame; the payload is copied. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  bytes[0] = payload.length >>> 16;
  bytes[1] = payload.length >>> 8;
  bytes[2] = payload.length;
  bytes[3] = type;
  bytes[4] = flags;
  putUint32(bytes, 5, stream);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** Numbers of 32 bits, one after another. */
export function uint32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, index) => putUint32(bytes, index * 4, value));
  return bytes;
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The payload of a SETTINGS frame. */
export function settingsPayload(
  settings: readonly (readonly [id: number, value: number])[],
): Uint8Array {
  const bytes = new Uint8Array(settings.length * 6);
  settings.forEach(([id, value], index) => {
    bytes[index * 6 + 1] = id;
    putUint32(bytes, index * 6 + 2, value);
  });
  return bytes;
}

/** Byte strings, one after another. */
export function join(
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Adds an integer to a header block, after a pattern in the upper bits of its
 * first byte (RFC 7541, section 5.1).
 */
export function putInteger(
  block: number[],
  pattern: number,
  prefixBits: number,
  value: number,
): void {
  const prefixMax = 2 ** prefixBits - 1;
  if (value < prefixMax) {
    block.push(pattern | value);
    return;
  }
  block.push(pattern | prefixMax);
  let rest = value - prefixMax;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    block.push(rest % 0x80 | 0x80);
  }
  block.push(rest);
}
