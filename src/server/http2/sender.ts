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

/** Bytes queued for the socket above which streams must wait. */
const OUTPUT_BYTES_MAX = 65_536;

/** Bytes queued for the socket above which reading pauses. */
const READ_PAUSE_BYTES = 262_144;

/** A peer that reads nothing for this long is gone. */
const WRITING_MS_MAX = 30_000;

/** What a sender reports to its connection. */
export interface SenderEvents {
  /** The bytes queued here have changed by `delta`. */
  readonly onHeld: (delta: number) => void;
  /** The socket no longer takes anything. */
  readonly onLost: () => void;
}

/** Queues frames for the socket, and data for the flow-control window. */
export class Sender {
  readonly #tcp: Pick<Deno.TcpConn, "write" | "closeWrite">;
  readonly #events: SenderEvents;
  /** Streams with something to send, in round-robin order. */
  readonly #ready = new Set<Stream>();
  #window = WINDOW_BYTES_DEFAULT;
  #queue: Uint8Array[] = [];
  /** Including the write in progress. */
  #bytes = 0;
  #flushing: Promise<void> | undefined;
  /** Since when the write in progress has made no progress. */
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

  /** Queues a frame; frames of one event-loop turn leave together. */
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

  /** A stream has something to send, or its window has grown. */
  ready(stream: Stream): void {
    this.#ready.add(stream);
    this.#pump();
  }

  /** A stream has nothing left to send. */
  forget(stream: Stream): void {
    this.#ready.delete(stream);
  }

  /** Grows the send window. @returns Whether it is still valid. */
  grant(increment: number): boolean {
    this.#window += increment;
    this.#pump();
    return this.#window <= INT31_MAX;
  }

  /** Resolves when the queue is short enough to read from the peer again. */
  async drained(): Promise<void> {
    while (this.#bytes > READ_PAUSE_BYTES && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#onDrained = resolve);
    }
  }

  /** Whether a write is in progress. */
  get isWriting(): boolean {
    return this.#stalledSinceMs !== undefined;
  }

  /** Whether the peer has taken nothing for too long. */
  isStalled(nowMs: number): boolean {
    return this.#stalledSinceMs !== undefined &&
      nowMs - this.#stalledSinceMs > WRITING_MS_MAX;
  }

  /** Drops everything queued but the write in progress. */
  discard(): void {
    const bytes = this.#queue.reduce((sum, { length }) => sum + length, 0);
    this.#queue = [];
    this.#hold(-bytes);
  }

  /** Flushes the queue, then closes our side. */
  async end(): Promise<void> {
    await this.#flushing;
    if (this.#isClosed) return;
    try {
      await this.#tcp.closeWrite();
    } catch {
      this.#events.onLost();
    }
  }

  /** Stops sending. */
  close(): void {
    this.discard();
    this.#isClosed = true;
    this.#onDrained();
  }

  #hold(delta: number): void {
    this.#bytes += delta;
    this.#events.onHeld(delta);
  }

  /** Makes frames of streams' data, round robin, as windows allow. */
  #pump(): void {
    while (
      this.#window > 0 && this.#bytes < OUTPUT_BYTES_MAX && !this.#isClosed
    ) {
      const [stream] = this.#ready;
      if (stream === undefined) return;
      this.#ready.delete(stream);
      const room = Math.min(stream.sendWindow, this.#window, PAYLOAD_BYTES_MAX);
      const data = room <= 0 ? undefined : stream.takeOutput(room);
      if (data === undefined) continue; // Blocked for now.
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
        this.#events.onLost(); // Whatever the reason, the peer is gone.
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
