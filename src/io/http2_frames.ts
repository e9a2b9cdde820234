/** Raw HTTP/2 frames, for peers that break the protocol on purpose. */
import {
  CODE,
  FLAG,
  frame,
  type Head,
  HEAD_BYTES,
  headAt,
  join,
  TYPE,
  uint32s,
} from "../core/http2_wire.ts";

const encoder = new TextEncoder();

/** An empty SETTINGS frame. */
export function settings(): Uint8Array {
  return frame(TYPE.settings, 0, 0);
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
    TYPE.headers,
    FLAG.endHeaders | (isEnd ? FLAG.endStream : 0),
    stream,
    Uint8Array.from(block),
  );
}

/** A DATA frame. */
export function data(stream: number, payload: Uint8Array): Uint8Array {
  return frame(TYPE.data, 0, stream, payload);
}

/** A RST_STREAM frame with the error code CANCEL. */
export function resetStream(stream: number): Uint8Array {
  return frame(TYPE.resetStream, 0, stream, uint32s(CODE.cancel));
}

/** A frame as it was received. */
export interface ReceivedFrame extends Head {
  readonly payload: Uint8Array;
}

/** Whether a frame tells that its stream has been answered or ended. */
export function isAnswer({ type }: Pick<Head, "type">): boolean {
  return type === TYPE.headers || type === TYPE.resetStream ||
    type === TYPE.goAway;
}

/** Cuts what was received into frames. @returns Them, and what is left. */
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
