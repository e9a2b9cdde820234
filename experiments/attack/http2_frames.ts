/** Raw HTTP/2 frames, for peers that break the protocol on purpose. */

const encoder = new TextEncoder();

/** Frame types of RFC 9113, section 6. */
const TYPES = { data: 0, headers: 1, resetStream: 3, settings: 4, goAway: 7 };

/** Each frame begins with its length, type, flags and stream. */
const HEAD_BYTES = 9;

const END_HEADERS = 0x4;
const END_STREAM = 0x1;

/** What a client sends first (RFC 9113, section 3.4). */
export const PREFACE: Uint8Array = encoder.encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
);

/** Joins byte strings. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** One frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  head.setUint32(0, payload.length << 8 | type);
  head.setUint8(4, flags);
  head.setUint32(5, stream);
  return join(new Uint8Array(head.buffer), payload);
}

/** An empty SETTINGS frame. */
export function settings(): Uint8Array {
  return frame(TYPES.settings, 0, 0);
}

/** A HEADERS frame; names and values below 127 bytes, not indexed. */
export function headers(
  stream: number,
  fields: Readonly<Record<string, string>>,
  isEnd = false,
): Uint8Array {
  const block = Object.entries(fields).flatMap(([name, value]) => [
    0, // Literal header field without indexing, new name (RFC 7541, 6.2.2).
    name.length,
    ...encoder.encode(name),
    value.length,
    ...encoder.encode(value),
  ]);
  return frame(
    TYPES.headers,
    END_HEADERS | (isEnd ? END_STREAM : 0),
    stream,
    Uint8Array.from(block),
  );
}

/** A DATA frame. */
export function data(stream: number, payload: Uint8Array): Uint8Array {
  return frame(TYPES.data, 0, stream, payload);
}

/** A RST_STREAM frame with the error code CANCEL. */
export function resetStream(stream: number): Uint8Array {
  return frame(TYPES.resetStream, 0, stream, Uint8Array.of(0, 0, 0, 8));
}

/** A frame as it was received, without its payload. */
export interface FrameHead {
  readonly type: number;
  /** 0 is the connection itself. */
  readonly stream: number;
}

/** Whether a frame tells that its stream has been answered or ended. */
export function isAnswer({ type }: FrameHead): boolean {
  return type === TYPES.headers || type === TYPES.resetStream ||
    type === TYPES.goAway;
}

/** Cuts what was received into frames. @returns Them, and what is left. */
export function framesIn(
  bytes: Uint8Array,
): { readonly frames: readonly FrameHead[]; readonly rest: Uint8Array } {
  const frames: FrameHead[] = [];
  let at = 0;
  while (bytes.length - at >= HEAD_BYTES) {
    const head = new DataView(bytes.buffer, bytes.byteOffset + at, HEAD_BYTES);
    const end = at + HEAD_BYTES + (head.getUint32(0) >>> 8);
    if (end > bytes.length) break;
    frames.push({
      type: head.getUint8(3),
      stream: head.getUint32(5) & 0x7fff_ffff,
    });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

/**
 * Two HEADERS frames for one stream that is already half closed, in one
 * packet, with a content type that is not gRPC's: the peer error that ends a
 * plain grpc-js server. The session is gone before the first request is looked
 * at, and the refusal is written to a stream that no longer exists.
 */
export function deadlyPacket(): Uint8Array {
  const request = headers(1, callFields("text/plain"), true);
  return join(request, request);
}

/** The header fields of a call of SayHello. */
export function callFields(
  contentType = "application/grpc",
): Readonly<Record<string, string>> {
  return {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/demo.v1.Greeter/SayHello",
    ":authority": "localhost",
    "content-type": contentType,
    te: "trailers",
  };
}

/**
 * Sends packets, each after the peer has answered the one before or has been
 * silent, and reads until the peer closes or falls silent.
 *
 * @param packets Each is sent in one write.
 * @param silenceMs How long a silence is waited for.
 * @returns How many bytes came back.
 */
export async function sendRaw(
  hostname: string,
  port: number,
  packets: readonly Uint8Array[],
  silenceMs = 200,
): Promise<number> {
  using connection = await Deno.connect({ hostname, port });
  let received = 0;
  let isClosed = false;
  const reading = (async () => {
    for await (const chunk of connection.readable) received += chunk.length;
  })().catch(() => {}) // A reset is an end, too.
    .finally(() => isClosed = true);
  for (const packet of packets) {
    if (isClosed) break;
    await connection.write(packet);
    let before = -1;
    while (!isClosed && received !== before) {
      before = received;
      await new Promise((resolve) => setTimeout(resolve, silenceMs));
    }
  }
  if (!isClosed) await connection.closeWrite().catch(() => {});
  void reading;
  return received;
}
