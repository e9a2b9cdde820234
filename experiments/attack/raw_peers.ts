/** Peers that write raw bytes: the attackers of the experiments. */
import { framesIn, isAnswer } from "../../src/io/http2_frames.ts";

/** Opened at a time: the kernel's accept queue is short. */
const BATCH = 100;

const READ_BYTES = 16_384;

/** A connection that is opened to be misused. */
export class RawPeer {
  readonly #connection: Deno.TcpConn;
  readonly #now: () => number;
  #answeredAtMs: number | undefined;
  #closedAtMs: number | undefined;

  private constructor(connection: Deno.TcpConn, now: () => number) {
    this.#connection = connection;
    this.#now = now;
  }

  /**
   * Connects.
   *
   * @param target "host:port".
   * @param options `isReading: false` never reads replies (default true); `now`
   * is the clock for the times below.
   */
  static async open(
    target: string,
    options: { readonly isReading?: boolean; readonly now: () => number },
  ): Promise<RawPeer> {
    const [hostname = "", port] = target.split(":");
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const peer = new RawPeer(connection, options.now);
    if (options.isReading ?? true) void peer.#read();
    return peer;
  }

  /** Connects many times. @returns The connections that were not refused. */
  static async openMany(
    count: number,
    target: string,
    options: { readonly isReading?: boolean; readonly now: () => number },
  ): Promise<readonly RawPeer[]> {
    const peers: RawPeer[] = [];
    for (let left = count; left > 0; left -= BATCH) {
      const batch = await Promise.allSettled(
        Array.from(
          { length: Math.min(BATCH, left) },
          () => RawPeer.open(target, options),
        ),
      );
      for (const one of batch) {
        if (one.status === "fulfilled") peers.push(one.value);
      }
    }
    return peers;
  }

  /** When the first call was answered or ended, or the connection ended. */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs ?? this.#closedAtMs;
  }

  /** When the other side closed the connection. */
  get closedAtMs(): number | undefined {
    return this.#closedAtMs;
  }

  /** Writes. @returns Whether the connection is still open. */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#closedAtMs !== undefined) return false;
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(bytes.subarray(at));
      }
      return true;
    } catch {
      return false; // The other side has closed it.
    }
  }

  /** Closes the connection on this side. */
  close(): void {
    try {
      this.#connection.close();
    } catch {
      // It is closed already.
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    let rest = new Uint8Array();
    try {
      while (true) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        const bytes = new Uint8Array(rest.length + count);
        bytes.set(rest);
        bytes.set(buffer.subarray(0, count), rest.length);
        const found = framesIn(bytes);
        rest = bytes.slice(bytes.length - found.rest.length);
        if (found.frames.some(isAnswer)) this.#answeredAtMs ??= this.#now();
      }
    } catch {
      // A reset closes it, too.
    }
    this.#closedAtMs = this.#now();
  }
}
