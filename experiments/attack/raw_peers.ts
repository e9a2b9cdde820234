/** Peers that write raw bytes: the attackers of the experiments. */
import { join } from "../../src/core/http2_wire.ts";
import { framesIn, isAnswer } from "../../src/io/http2_frames.ts";
import { pause } from "../../src/io/wait.ts";

/** Opened at a time: the kernel's accept queue is short. */
const BATCH = 100;

const READ_BYTES = 16_384;

/** A connection that is opened to be misused. */
export class RawPeer {
  readonly #connection: Deno.TcpConn;
  #answeredAtMs: number | undefined;
  #closedAtMs: number | undefined;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /**
   * Connects.
   *
   * @param target "host:port".
   * @param isReading Whether it reads replies.
   */
  static async open(target: string, isReading = true): Promise<RawPeer> {
    const [hostname = "", port] = target.split(":");
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const peer = new RawPeer(connection);
    if (isReading) void peer.#read();
    return peer;
  }

  /** Connects many times. @returns The connections that were not refused. */
  static async openMany(
    count: number,
    target: string,
    isReading = true,
  ): Promise<readonly RawPeer[]> {
    const peers: RawPeer[] = [];
    for (let left = count; left > 0; left -= BATCH) {
      const batch = await Promise.allSettled(
        Array.from(
          { length: Math.min(BATCH, left) },
          () => RawPeer.open(target, isReading),
        ),
      );
      for (const one of batch) {
        if (one.status === "fulfilled") peers.push(one.value);
      }
    }
    return peers;
  }

  /**
   * When the first call was answered or ended, or the connection ended, by
   * `performance.now()`.
   */
  get answeredAtMs(): number | undefined {
    return this.#answeredAtMs ?? this.#closedAtMs;
  }

  /** When the other side closed the connection, by the same clock. */
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

  /** Writes part after part until all are sent or no more is accepted. */
  async writeAll(
    parts: Iterable<Uint8Array>,
    pauseMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (const part of parts) {
      if (signal.aborted || !await this.write(part)) return;
      await pause(pauseMs, signal);
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
    let rest: Uint8Array = new Uint8Array();
    try {
      while (true) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        const found = framesIn(join(rest, buffer.subarray(0, count)));
        rest = found.rest;
        if (found.frames.some(isAnswer)) {
          this.#answeredAtMs ??= performance.now();
        }
      }
    } catch {
      // A reset closes it, too.
    }
    this.#closedAtMs = performance.now();
  }
}
