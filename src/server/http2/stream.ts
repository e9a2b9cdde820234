/** One stream of a connection, with the part of Node's API grpc-js uses. */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import type { Connection } from "./connection.ts";
import type { Field } from "./hpack.ts";
import { answerFields, trailerFields } from "./request.ts";
import { CODE, WINDOW_BYTES_DEFAULT } from "./wire.ts";

/** What an open stream costs by its objects, as measured, in bytes. */
const STREAM_BYTES = 12_288;

/** A message's length stands behind one byte of flags. */
const MESSAGE_HEAD_BYTES = 5;

/** What a stream asks of its connection. */
export interface StreamPort {
  sendHeaders(fields: readonly Field[], isEnd: boolean): void;
  /** Something is to be sent as soon as windows allow. */
  ready(): void;
  /** Bytes that were received wait no longer. */
  consumed(count: number): void;
  /** What the stream holds has changed. */
  held(delta: number): void;
  /** Ends the stream with a code. */
  reset(code: number): void;
  /** Both directions have ended. */
  ended(): void;
}

interface Chunk {
  bytes: Uint8Array;
  readonly done: (error?: Error) => void;
}

/**
 * One call's stream.
 *
 * Nothing waits in it without being counted: what came and is not read yet,
 * what came of a message that is not whole, what is written and has not left.
 */
export class Stream extends EventEmitter {
  readonly id: number;
  /** Its connection; grpc-js calls it so. */
  readonly session: Connection;
  /** Bytes that the peer still takes. */
  sendWindow: number;
  /** Bytes that the peer may still send. */
  receiveWindow = WINDOW_BYTES_DEFAULT;
  /** Bytes that were read and are not given back to the window yet. */
  receiveCredit = 0;
  rstCode: number = CODE.noError;
  /** Whether the peer has ended its direction. */
  isRemoteClosed = false;
  /** Whether both directions have ended, or it was reset. */
  closed = false;
  headersSent = false;
  /** When the answer was complete, though the request is not. */
  answeredAtMs: number | undefined;
  readonly #port: StreamPort;
  readonly #inbox: Buffer[] = [];
  readonly #outbox: Chunk[] = [];
  #heldBytes = STREAM_BYTES;
  #isPaused = false;
  #isDelivering = false;
  #isEndDelivered = false;
  #lengthLeft: number | undefined;
  #isLocalEnded = false;
  #isLocalClosed = false;
  #partialBytes = 0;
  #messageHead: number[] = [];
  #messageLeft = 0;

  constructor(
    id: number,
    session: Connection,
    port: StreamPort,
    sendWindow: number,
  ) {
    super();
    this.id = id;
    this.session = session;
    this.#port = port;
    this.sendWindow = sendWindow;
    port.held(STREAM_BYTES);
  }

  get destroyed(): boolean {
    return this.closed;
  }

  pause(): this {
    this.#isPaused = true;
    return this;
  }

  resume(): this {
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
    return this;
  }

  /** Notes the "content-length" of the request, if there is one. */
  expect(length: string | undefined): void {
    if (length !== undefined) this.#lengthLeft = Number(length);
  }

  /** Counts data. @returns Whether the request is as long as it said. */
  count(bytes: number): boolean {
    if (this.#lengthLeft === undefined) return true;
    this.#lengthLeft -= bytes;
    return this.#lengthLeft >= 0;
  }

  /** Whether all of the request that was announced has come. */
  get isWhole(): boolean {
    return this.#lengthLeft === undefined || this.#lengthLeft === 0;
  }

  /** Takes data from the peer; it is copied. */
  receive(bytes: Uint8Array): void {
    this.receiveWindow -= bytes.length;
    if (this.answeredAtMs !== undefined) {
      this.#port.consumed(bytes.length); // Nobody waits for it any more.
      return;
    }
    this.#inbox.push(Buffer.from(bytes));
    this.#hold(bytes.length);
    this.#deliver();
  }

  /** The peer has ended its direction. */
  receiveEnd(): void {
    this.isRemoteClosed = true;
    if (this.closed) return;
    this.#deliver();
    this.#endIfClosed();
  }

  /** Sends the headers; grpc-js gives `endStream` for an answer without data. */
  respond(
    headers: Readonly<Record<string, unknown>>,
    options: { readonly endStream?: boolean } = {},
  ): void {
    if (this.closed || this.headersSent) return;
    this.headersSent = true;
    const isEnd = options.endStream ?? false;
    this.#port.sendHeaders(answerFields(headers), isEnd);
    if (isEnd) this.#closeLocal();
  }

  /** Queues data; `done` is called when it has left, or cannot any more. */
  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    if (this.closed || this.#isLocalEnded) {
      done(new Error("The stream has ended"));
      return;
    }
    this.#outbox.push({ bytes, done });
    this.#hold(bytes.length);
    this.#port.ready();
  }

  /** No more data; asks for the trailers when all has left. */
  end(): void {
    if (this.closed || this.#isLocalEnded) return;
    this.#isLocalEnded = true;
    this.#askForTrailers();
  }

  sendTrailers(headers: Readonly<Record<string, unknown>>): void {
    if (this.closed) return;
    this.#port.sendHeaders(trailerFields(headers), true);
    this.#closeLocal();
  }

  /** Ends the stream with a code, as `RST_STREAM`. */
  close(code: number = CODE.noError): void {
    if (!this.closed) this.#port.reset(code);
  }

  destroy(): this {
    this.close(CODE.cancel);
    return this;
  }

  /** Takes up to `max` bytes of output, of one write at the most. */
  takeOutput(max: number): Uint8Array | undefined {
    const chunk = this.#outbox[0];
    if (chunk === undefined) return undefined;
    const taken = chunk.bytes.subarray(0, max);
    this.sendWindow -= taken.length;
    this.#hold(-taken.length);
    if (taken.length < chunk.bytes.length) {
      chunk.bytes = chunk.bytes.subarray(max);
      return taken;
    }
    this.#outbox.shift();
    // Not now: the frame must be queued before what follows it.
    queueMicrotask(() => {
      chunk.done();
      this.#askForTrailers();
    });
    return taken;
  }

  /** Ends it on this side without a frame; whatever waits is dropped. */
  abandon(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.rstCode = code;
    const unread = this.#inbox.reduce((sum, { length }) => sum + length, 0);
    this.#inbox.length = 0;
    if (unread > 0) this.#port.consumed(unread);
    this.#port.held(-this.#heldBytes);
    this.#heldBytes = 0;
    const error = new Error("The stream was reset");
    for (const { done } of this.#outbox.splice(0)) {
      queueMicrotask(() => done(error));
    }
    this.emit("close");
    this.removeAllListeners();
  }

  #askForTrailers(): void {
    if (!this.#isLocalEnded || this.#isLocalClosed || this.closed) return;
    if (this.#outbox.length === 0) this.emit("wantTrailers");
  }

  #hold(delta: number): void {
    this.#heldBytes += delta;
    this.#port.held(delta);
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (!this.#isPaused && !this.closed) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      this.#measure(chunk);
      this.#port.consumed(chunk.length);
      this.emit("data", chunk);
    }
    this.#isDelivering = false;
    const isAtEnd = this.isRemoteClosed && this.#inbox.length === 0;
    if (!isAtEnd || this.#isEndDelivered || this.#isPaused || this.closed) {
      return;
    }
    this.#isEndDelivered = true;
    this.emit("end");
  }

  /** Releases what belongs to whole messages: grpc-js holds the rest. */
  #measure(chunk: Uint8Array): void {
    let at = 0;
    let partial = this.#partialBytes + chunk.length;
    while (at < chunk.length) {
      if (this.#messageHead.length < MESSAGE_HEAD_BYTES) {
        this.#messageHead.push(chunk[at] ?? 0);
        at += 1;
        if (this.#messageHead.length < MESSAGE_HEAD_BYTES) continue;
        const [, a = 0, b = 0, c = 0, d = 0] = this.#messageHead;
        this.#messageLeft = a * 2 ** 24 + (b << 16 | c << 8 | d);
      }
      const taken = Math.min(this.#messageLeft, chunk.length - at);
      at += taken;
      this.#messageLeft -= taken;
      if (this.#messageLeft > 0) break;
      this.#messageHead = [];
      partial = chunk.length - at;
    }
    this.#hold(partial - this.#partialBytes - chunk.length);
    this.#partialBytes = partial;
  }

  #closeLocal(): void {
    this.#isLocalClosed = true;
    this.#isLocalEnded = true;
    this.answeredAtMs = performance.now();
    const unread = this.#inbox.splice(0);
    for (const { length } of unread) {
      this.#hold(-length);
      this.#port.consumed(length);
    }
    this.#endIfClosed();
  }

  #endIfClosed(): void {
    if (!this.isRemoteClosed || !this.#isLocalClosed || this.closed) return;
    this.#port.ended();
  }
}
