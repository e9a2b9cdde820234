/** One stream of a connection, with the part of Node's API grpc-js uses. */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { CODE, WINDOW_BYTES_DEFAULT } from "../../core/http2_wire.ts";
import { demand, StreamError } from "./errors.ts";
import type { Field } from "./hpack.ts";
import { PartialMessage } from "./partial_message.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { answerFields, trailerFields } from "./request.ts";

/** What an open stream costs by its objects, as measured, in bytes. */
const STREAM_BYTES = 12_288;

/** What a stream asks of its connection. */
export interface StreamPort {
  sendHeaders(fields: readonly Field[], isEnd: boolean): void;
  /** Something is to be sent as soon as windows allow. */
  ready(): void;
  /** Bytes that were received wait no longer. */
  consumed(bytes: number): void;
  /** The peer may send so much more on this stream. */
  renew(increment: number): void;
  /** What the stream holds has changed. */
  held(delta: number): void;
  /** Ends the stream with a code. */
  reset(code: number): void;
  /** Both directions have ended. */
  ended(): void;
  /** Something of ours has thrown. */
  defect(error: unknown): void;
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
  readonly session: object;
  /** Bytes that the peer still takes. */
  sendWindow: number;
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
  readonly #window: ReceiveWindow;
  #heldBytes = 0;
  #isPaused = false;
  #isEndDelivered = false;
  /** What is left of an announced length. */
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

  /** Counts what an open stream costs. */
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
   * @throws {StreamError} When it is no length.
   */
  expect(length: string | undefined): void {
    if (length === undefined) return;
    demandWhole(/^\d+$/.test(length));
    this.#lengthLeft = Number(length);
  }

  /**
   * Takes data from the peer; it is copied.
   *
   * @param windowBytes Its length with the padding, as windows count it.
   * @throws {StreamError} When the peer may not send it.
   */
  receive(bytes: Uint8Array, windowBytes: number): void {
    const isAllowed = this.#window.take(windowBytes);
    demand(isAllowed, "flowControlError", "too much data", StreamError);
    if (this.#lengthLeft !== undefined) this.#lengthLeft -= bytes.length;
    demandWhole((this.#lengthLeft ?? 0) >= 0);
    if (this.answeredAtMs !== undefined) {
      this.#consumed(windowBytes); // Nobody waits for it any more.
      return;
    }
    this.#consumed(windowBytes - bytes.length);
    if (bytes.length === 0) return;
    this.#inbox.push(Buffer.from(bytes));
    this.#hold(bytes.length);
    this.#deliver();
  }

  /**
   * The peer has ended its direction.
   * @throws {StreamError} When it has announced more.
   */
  receiveEnd(): void {
    if (this.closed) return;
    demandWhole((this.#lengthLeft ?? 0) === 0);
    this.isRemoteClosed = true;
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
      this.#later(() => done(new Error("The stream has ended")));
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
    if (this.closed || this.#isLocalClosed) return;
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
    this.#later(() => {
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

  /** Does something when this turn is over; what it throws is a defect. */
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
      // grpc-js holds what belongs to a message that is not whole.
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

/** Demands a request as long as it said. */
function demandWhole(isWhole: boolean): void {
  demand(isWhole, "protocolError", "not the announced length", StreamError);
}
