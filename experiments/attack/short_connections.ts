/** Connections that are opened, used once or not at all, and closed. */
import { join, TYPE } from "../../src/core/http2_wire.ts";
import { framesIn, isEnd } from "../../src/io/http2_frames.ts";
import { runOpenLoop } from "../../src/io/open_loop.ts";

const READ_BYTES = 4096;

/** How long a reply may take. */
const ANSWER_MS_MAX = 5000;

/** Connections at a time: a slow server must not be flooded. */
const AT_ONCE_MAX = 100;

/** @returns Whether a message came before the end of the call. */
async function isAnswered(connection: Deno.TcpConn): Promise<boolean> {
  let bytes = new Uint8Array();
  const buffer = new Uint8Array(READ_BYTES);
  while (true) {
    const count = await connection.read(buffer);
    if (count === null) return false;
    bytes = join(bytes, buffer.subarray(0, count));
    const { frames } = framesIn(bytes);
    if (!frames.some(isEnd)) continue;
    return frames.some(({ type }) => type === TYPE.data);
  }
}

/**
 * @returns Whether the server accepted the connection and answered the call, if
 * any.
 */
async function connectOnce(
  target: string,
  call: Uint8Array | undefined,
): Promise<boolean> {
  const [hostname = "", port] = target.split(":");
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    if (call === undefined) return true;
    timer = setTimeout(() => connection.close(), ANSWER_MS_MAX);
    await connection.write(call);
    return await isAnswered(connection);
  } catch {
    return false; // Refused, reset or too late.
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connects again and again at a constant rate.
 *
 * @param target "host:port".
 * @param callOf What connection number n, from 0 on, sends; undefined sends
 * nothing.
 * @returns How many connections were refused, or got no reply to their call.
 */
export async function connectMany(
  target: string,
  { count, ratePerS, signal, callOf }: {
    readonly count: number;
    readonly ratePerS: number;
    readonly signal: AbortSignal;
    readonly callOf: (number: number) => Uint8Array | undefined;
  },
): Promise<number> {
  let lost = 0;
  await runOpenLoop({
    ratePerS,
    count,
    signal,
    concurrency: AT_ONCE_MAX,
    makeCall: async ({ index }) => {
      if (!await connectOnce(target, callOf(index))) lost += 1;
    },
  });
  return lost;
}
