/** The sending half of a connection. */
import { setImmediate } from "node:timers";
import {
  FLAG,
  frame,
  INT31_MAX,
  join,
  PAYLOAD_BYTES_MAX,
  TYPE,
  WINDOW_BYTES_DEFAULT,
} from "../../core/http2_wire.ts";
import { encodeHeaders, type Field } from "./hpack.ts";
import type { Stream } from "./stream.ts";

/** Bytes that wait for the socket before data of streams waits instead. */
const OUTPUT_BYTES_MAX = 65_536;

/** Bytes that wait for the socket before nothing is read any more. */
const READ_PAUSE_BYTES = 262_144;

/** A peer that takes nothing for so long has gone. */
const WRITING_MS_MAX = 30_000;

/** What a sender tells its connection. */
export interface SenderEvents {
  /** The bytes that wait here have changed by so many. */
  readonly onHeld: (delta: number) => void;
  /** Nothing can be written any more. */
  readonly onLost: () => void;
}

/** Frames that wait for the socket, and data that waits for the window. */
export class Sender {
  readonly #tcp: Pick<Deno.TcpConn, "write" | "closeWrite">;
  readonly #events: SenderEvents;
  /** Streams with something to send, in the order of their turns. */
  readonly #ready = new Set<Stream>();
  #window = WINDOW_BYTES_DEFAULT;
  #queue: Uint8Array[] = [];
  /** With what is being written. */
  #bytes = 0;
  #flushing: Promise<void> | undefined;
  /** Since when the peer has taken nothing of what is being written. */
  #stalledSinceMs: number | undefined;
  #onDrained = () => {};
  #isClosed = false;

  constructor(
    tcp: Pick<Deno.TcpConn, "write" | "closeWrite">,
    events: SenderEvents,
  ) {
    this.#tcp = tcp;
    this.#events = events;
  }

  /** Queues a frame; all of one turn of the event loop leave together. */
  send(...parts: Parameters<typeof frame>): void {
    if (this.#isClosed) return;
    const bytes = frame(...parts);
    this.#queue.push(bytes);
    this.#hold(bytes.length);
    this.#flushing ??= new Promise((resolve) => {
      setImmediate(() => void this.#flush().finally(resolve));
    });
  }

  /** Queues a header block, in as many frames as it needs. */
  sendHeaders(id: number, fields: readonly Field[], isEnd: boolean): void {
    const block = encodeHeaders(fields);
    for (let at = 0; at === 0 || at < block.length; at += PAYLOAD_BYTES_MAX) {
      const part = block.subarray(at, at + PAYLOAD_BYTES_MAX);
      const isLast = at + part.length === block.length;
      const flags = (isLast ? FLAG.endHeaders : 0) |
        (isEnd && at === 0 ? FLAG.endStream : 0);
      this.send(at === 0 ? TYPE.headers : TYPE.continuation, flags, id, part);
    }
  }

  /** A stream has something to send, or its window is larger. */
  ready(stream: Stream): void {
    this.#ready.add(stream);
    this.#pump();
  }

  /** A stream has nothing to send any more. */
  forget(stream: Stream): void {
    this.#ready.delete(stream);
  }

  /** The peer takes more. @returns Whether that is still a valid window. */
  grant(increment: number): boolean {
    this.#window += increment;
    this.#pump();
    return this.#window <= INT31_MAX;
  }

  /** Resolves when so little waits that the peer may be heard again. */
  async drained(): Promise<void> {
    while (this.#bytes > READ_PAUSE_BYTES && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#onDrained = resolve);
    }
  }

  /** Whether a write is under way. */
  get isWriting(): boolean {
    return this.#stalledSinceMs !== undefined;
  }

  /** Whether the peer has taken nothing for too long. */
  isStalled(nowMs: number): boolean {
    return this.#stalledSinceMs !== undefined &&
      nowMs - this.#stalledSinceMs > WRITING_MS_MAX;
  }

  /** Drops what has not begun to leave. */
  discard(): void {
    const bytes = this.#queue.reduce((sum, { length }) => sum + length, 0);
    this.#queue = [];
    this.#hold(-bytes);
  }

  /** Sends what is queued, and then the end. */
  async end(): Promise<void> {
    await this.#flushing;
    if (this.#isClosed) return;
    try {
      await this.#tcp.closeWrite();
    } catch {
      this.#events.onLost();
    }
  }

  /** Sends nothing any more. */
  close(): void {
    this.discard();
    this.#isClosed = true;
    this.#onDrained();
  }

  #hold(delta: number): void {
    this.#bytes += delta;
    this.#events.onHeld(delta);
  }

  /** Makes frames of what streams have, each in turn, as windows allow. */
  #pump(): void {
    while (
      this.#window > 0 && this.#bytes < OUTPUT_BYTES_MAX && !this.#isClosed
    ) {
      const [stream] = this.#ready;
      if (stream === undefined) return;
      this.#ready.delete(stream);
      const room = Math.min(stream.sendWindow, this.#window, PAYLOAD_BYTES_MAX);
      const data = room <= 0 ? undefined : stream.takeOutput(room);
      if (data === undefined) continue; // Ready again by a window or a write.
      this.#window -= data.length;
      this.send(TYPE.data, 0, stream.id, data);
      this.#ready.add(stream);
    }
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0 && !this.#isClosed) {
      const bytes = join(...this.#queue);
      this.#queue = [];
      try {
        for (let at = 0; at < bytes.length;) {
          this.#stalledSinceMs = performance.now();
          at += await this.#tcp.write(bytes.subarray(at));
        }
      } catch {
        this.#events.onLost(); // Whatever the reason, the peer is not there.
      }
      this.#stalledSinceMs = undefined;
      if (this.#isClosed) break;
      this.#hold(-bytes.length);
      this.#pump();
      this.#onDrained();
    }
    this.#flushing = undefined;
  }
}
