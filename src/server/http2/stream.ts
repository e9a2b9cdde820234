/** One stream, with the part of Node's API that grpc-js uses. */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { CODE, WINDOW_BYTES_DEFAULT } from "../../core/http2_wire.ts";
import { demand, StreamError } from "./errors.ts";
import type { Field } from "./hpack.ts";
import { PartialMessage } from "./partial_message.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { answerFields, trailerFields } from "./request.ts";

/** What an open stream's objects cost, as measured, in bytes. */
const STREAM_BYTES = 12_288;

/** What a stream needs from its connection. */
export interface StreamPort {
  sendHeaders(fields: readonly Field[], isEnd: boolean): void;
  /** There is data to send as soon as windows allow. */
  ready(): void;
  /** Received bytes have been consumed. */
  consumed(bytes: number): void;
  /** Lets the peer send this much more on the stream. */
  renew(increment: number): void;
  /** The bytes the stream holds have changed by `delta`. */
  held(delta: number): void;
  /** Resets the stream with a code. */
  reset(code: number): void;
  /** Both directions have ended. */
  ended(): void;
  /** Our own code has thrown. */
  defect(error: unknown): void;
}

interface Chunk {
  bytes: Uint8Array;
  readonly done: (error?: Error) => void;
}

/**
 * One call's stream.
 *
 * Everything buffered in it is counted: received data that is unread or part of
 * an incomplete message, and written data that has not been sent.
 */
export class Stream extends EventEmitter {
  readonly id: number;
  /** Its connection, under grpc-js's name for it. */
  readonly session: object;
  /** The send window, in bytes. */
  sendWindow: number;
  rstCode: number = CODE.noError;
  /** Whether the peer has half-closed. */
  isRemoteClosed = false;
  /** Whether both directions have ended, or it was reset. */
  closed = false;
  headersSent = false;
  /** When the response was completed before the request. */
  answeredAtMs: number | undefined;
  readonly #port: StreamPort;
  readonly #inbox: Buffer[] = [];
  readonly #outbox: Chunk[] = [];
  readonly #window: ReceiveWindow;
  #heldBytes = 0;
  #isPaused = false;
  #isEndDelivered = false;
  /** What is left of the content-length. */
  #lengthLeft: number | undefined;
  #isLocalEnded = false;
  #isLocalClosed = false;
  readonly #message = new PartialMessage();
  #messageBytes = 0;

  constructor(
    id: number,
    session: object,
    port: StreamPort,
    sendWindow: number,
  ) {
    super();
    this.id = id;
    this.session = session;
    this.#port = port;
    this.sendWindow = sendWindow;
    this.#window = new ReceiveWindow(WINDOW_BYTES_DEFAULT, (increment) => {
      if (!this.closed && !this.isRemoteClosed) port.renew(increment);
    });
  }

  /** Counts the cost of an open stream. */
  open(): void {
    this.#hold(STREAM_BYTES);
  }

  pause(): this {
    this.#isPaused = true;
    return this;
  }

  resume(): this {
    this.#isPaused = false;
    this.#later(() => this.#deliver());
    return this;
  }

  /**
   * Notes the "content-length" of the request, if there is one.
   * @throws {StreamError} When it is not a length.
   */
  expect(length: string | undefined): void {
    if (length === undefined) return;
    demandWhole(/^\d+$/.test(length));
    this.#lengthLeft = Number(length);
  }

  /**
   * Takes data from the peer; it is copied.
   *
   * @param windowBytes Its length with padding, as flow control counts it.
   * @throws {StreamError} When the peer may not send it.
   */
  receive(bytes: Uint8Array, windowBytes: number): void {
    const isAllowed = this.#window.take(windowBytes);
    demand(isAllowed, "flowControlError", "too much data", StreamError);
    if (this.#lengthLeft !== undefined) this.#lengthLeft -= bytes.length;
    demandWhole((this.#lengthLeft ?? 0) >= 0);
    if (this.answeredAtMs !== undefined) {
      this.#consumed(windowBytes); // Nobody will read it.
      return;
    }
    this.#consumed(windowBytes - bytes.length);
    if (bytes.length === 0) return;
    this.#inbox.push(Buffer.from(bytes));
    this.#hold(bytes.length);
    this.#deliver();
  }

  /**
   * The peer has half-closed.
   * @throws {StreamError} When it sent less than the content-length.
   */
  receiveEnd(): void {
    if (this.closed) return;
    demandWhole((this.#lengthLeft ?? 0) === 0);
    this.isRemoteClosed = true;
    this.#deliver();
    this.#endIfClosed();
  }

  /** Sends the headers; grpc-js sets `endStream` for trailers-only answers. */
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

  /** Queues data; `done` is called when it has been sent, or never will be. */
  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    if (this.closed || this.#isLocalEnded) {
      this.#later(() => done(new Error("The stream has ended")));
      return;
    }
    this.#outbox.push({ bytes, done });
    this.#hold(bytes.length);
    this.#port.ready();
  }

  /** No more data; asks for the trailers once everything is sent. */
  end(): void {
    if (this.closed || this.#isLocalEnded) return;
    this.#isLocalEnded = true;
    this.#askForTrailers();
  }

  sendTrailers(headers: Readonly<Record<string, unknown>>): void {
    if (this.closed || this.#isLocalClosed) return;
    this.#port.sendHeaders(trailerFields(headers), true);
    this.#closeLocal();
  }

  /** Resets the stream with a code. */
  close(code: number = CODE.noError): void {
    if (!this.closed) this.#port.reset(code);
  }

  destroy(): this {
    this.close(CODE.cancel);
    return this;
  }

  /** Takes up to `max` bytes of output, from one write at most. */
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
    // Deferred: this frame must be queued before what follows it.
    this.#later(() => {
      chunk.done();
      this.#askForTrailers();
    });
    return taken;
  }

  /** Ends it on our side without a frame, dropping what is buffered. */
  abandon(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.rstCode = code;
    this.#dropInbox();
    this.#hold(-this.#heldBytes);
    const error = new Error("The stream was reset");
    for (const { done } of this.#outbox.splice(0)) {
      this.#later(() => done(error));
    }
    this.#later(() => {
      this.emit("close");
      this.removeAllListeners();
    });
  }

  #askForTrailers(): void {
    if (!this.#isLocalEnded || this.#isLocalClosed || this.closed) return;
    if (this.#outbox.length === 0) this.emit("wantTrailers");
  }

  #hold(delta: number): void {
    this.#heldBytes += delta;
    this.#port.held(delta);
  }

  /** Does something after this turn; what it throws is a defect. */
  #later(work: () => void): void {
    queueMicrotask(() => {
      try {
        work();
      } catch (error) {
        this.#port.defect(error);
      }
    });
  }

  #consumed(bytes: number): void {
    this.#window.use(bytes);
    this.#port.consumed(bytes);
  }

  #dropInbox(): void {
    for (const { length } of this.#inbox.splice(0)) {
      this.#hold(-length);
      this.#consumed(length);
    }
  }

  #deliver(): void {
    while (!this.#isPaused && !this.closed) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      // grpc-js buffers an incomplete message.
      const messageBytes = this.#message.take(chunk);
      this.#hold(messageBytes - this.#messageBytes - chunk.length);
      this.#messageBytes = messageBytes;
      this.#consumed(chunk.length);
      this.emit("data", chunk);
    }
    const isAtEnd = this.isRemoteClosed && this.#inbox.length === 0;
    if (!isAtEnd || this.#isEndDelivered || this.#isPaused || this.closed) {
      return;
    }
    this.#isEndDelivered = true;
    this.emit("end");
  }

  #closeLocal(): void {
    this.#isLocalClosed = true;
    this.#isLocalEnded = true;
    this.answeredAtMs = performance.now();
    this.#dropInbox();
    this.#endIfClosed();
  }

  #endIfClosed(): void {
    if (!this.isRemoteClosed || !this.#isLocalClosed || this.closed) return;
    this.#port.ended();
  }
}

/** Asserts that a request is as long as its content-length. */
function demandWhole(isWhole: boolean): void {
  demand(isWhole, "protocolError", "a wrong content-length", StreamError);
}
