/** A connection's open streams, and what a peer's frames do to them. */
import {
  CODE,
  INT31_MAX,
  TYPE,
  uint32s,
  WINDOW_BYTES_DEFAULT,
} from "../../core/http2_wire.ts";
import { demand, StreamError } from "./errors.ts";
import type { Frame } from "./frames.ts";
import { type Field, HpackDecoder } from "./hpack.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { checkTrailers, type Headers, requestHeaders } from "./request.ts";
import type { Sender } from "./sender.ts";
import { Stream } from "./stream.ts";
import { TokenBucket } from "./token_bucket.ts";

/** The connection's flow-control window for request data, in bytes. */
export const CONNECTION_WINDOW_BYTES = 1_048_576;

/**
 * Streams that a peer may reset or break, in a burst and per second. A balancer
 * passes on the cancels of all its callers; an attacker, whom a reset costs
 * nothing, sends far more.
 */
const RESETS_MAX = 2000;
const RESETS_PER_S = 200;

/** Streams that we reset and that may still have frames in flight. */
const RECENTLY_RESET_MAX = 256;

/** How long the rest of a request may take after it was answered. */
const REQUEST_REST_MS_MAX = 1000;

/** The limits of a connection. */
export interface ConnectionLimits {
  readonly concurrentStreamsMax: number;
  /** As counted for `SETTINGS_MAX_HEADER_LIST_SIZE`. */
  readonly headerListBytesMax: number;
}

/** The options of a connection's streams. */
export interface OpenStreamsOptions {
  /** The connection, as grpc-js finds it on a stream. */
  readonly session: Stream["session"];
  readonly limits: ConnectionLimits;
  readonly sender: Sender;
  readonly onStream: (stream: Stream, headers: Headers) => void;
  /** The bytes held by streams have changed by `delta`. */
  readonly onHeld: (delta: number) => void;
  /** A stream has ended; it may have been the last. */
  readonly onEnded: () => void;
  /** Our own code has thrown, outside the handling of a frame. */
  readonly onDefect: (error: unknown) => void;
}

type FrameOf<K extends Frame["kind"]> = Extract<Frame, { kind: K }>;

/** The streams of one connection. */
export class OpenStreams {
  /** Whether the peer knows that no new streams are served. */
  isGoingAway = false;
  readonly #options: OpenStreamsOptions;
  readonly #streams = new Map<number, Stream>();
  readonly #recentlyReset = new Set<number>();
  readonly #hpack: HpackDecoder;
  readonly #resets = new TokenBucket(RESETS_MAX, RESETS_PER_S);
  readonly #window: ReceiveWindow;
  #lastId = 0;
  /** The initial send window of new streams. */
  #sendWindow = WINDOW_BYTES_DEFAULT;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
    this.#hpack = new HpackDecoder(options.limits.headerListBytesMax);
    this.#window = new ReceiveWindow(
      CONNECTION_WINDOW_BYTES,
      (increment) =>
        options.sender.send(TYPE.windowUpdate, 0, 0, uint32s(increment)),
    );
  }

  get count(): number {
    return this.#streams.size;
  }

  /** The last stream the peer opened. */
  get lastId(): number {
    return this.#lastId;
  }

  /** @throws {Http2Error} When the peer may not send this. */
  takeData(frame: FrameOf<"data">): void {
    const { stream: id, content, windowBytes, isEnd } = frame;
    const isAllowed = this.#window.take(windowBytes);
    demand(isAllowed, "flowControlError", "too much data");
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isRemoteClosed) {
      this.#window.use(windowBytes);
      if (this.#isIgnored(id)) return;
      this.#demandKnown(id);
      throw new StreamError(CODE.streamClosed, "DATA on a closed stream");
    }
    try {
      stream.receive(content, windowBytes);
    } catch (error) {
      this.#window.use(windowBytes);
      throw error;
    }
    if (isEnd) stream.receiveEnd();
  }

  /** @throws {Http2Error} When the peer may not send this. */
  takeHeaders({ stream: id, block, isEnd }: FrameOf<"headers">): void {
    // Always decoded, to keep the dynamic table in step with the peer's.
    const { fields, isTooLong } = this.#hpack.decode(block);
    const known = this.#streams.get(id);
    if (known !== undefined) {
      takeTrailers(known, fields, isEnd);
      return;
    }
    if (this.#isIgnored(id)) return;
    demand(id > this.#lastId, "streamClosed", "HEADERS on a closed stream");
    this.#lastId = id;
    const hasRoom =
      this.#streams.size < this.#options.limits.concurrentStreamsMax;
    demand(hasRoom, "refusedStream", "too many streams", StreamError);
    const headers = requestHeaders(fields, isTooLong);
    const stream = this.#open(id);
    // Counting it may have closed the connection.
    if (stream.closed) return;
    stream.expect(headers["content-length"]);
    if (isTooLong) stream.respond(this.#tooLong(), { endStream: true });
    else this.#options.onStream(stream, headers);
    if (isEnd) stream.receiveEnd();
  }

  /** @throws {Http2Error} When the peer may not send this. */
  takeReset({ stream: id, code }: FrameOf<"reset">): void {
    const stream = this.#known(id);
    if (stream === undefined) return;
    this.#countReset();
    this.#drop(stream, code);
    this.#options.onEnded();
  }

  /** Resets a stream after a fault. @throws {Http2Error} After too many. */
  takeFault(id: number, code: number): void {
    this.#countReset();
    this.#reset(id, code);
  }

  /** @throws {Http2Error} When the peer may not send this. */
  takeWindow(windowBytes: number): void {
    const delta = windowBytes - this.#sendWindow;
    this.#sendWindow = windowBytes;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += delta;
      const isValid = stream.sendWindow <= INT31_MAX;
      demand(isValid, "flowControlError", "an oversized window");
      if (delta > 0) this.#options.sender.ready(stream);
    }
  }

  /** @throws {Http2Error} When the peer may not send this. */
  takeWindowUpdate(frame: FrameOf<"windowUpdate">): void {
    const { stream: id, increment } = frame;
    const { sender } = this.#options;
    if (id === 0) {
      demand(increment > 0, "protocolError", "a WINDOW_UPDATE of 0");
      const isValid = sender.grant(increment);
      demand(isValid, "flowControlError", "an oversized window");
      return;
    }
    const stream = this.#known(id);
    if (stream === undefined) return;
    const isMore = increment > 0;
    demand(isMore, "protocolError", "a WINDOW_UPDATE of 0", StreamError);
    stream.sendWindow += increment;
    const isValid = stream.sendWindow <= INT31_MAX;
    demand(isValid, "flowControlError", "an oversized window", StreamError);
    sender.ready(stream);
  }

  /** Ends streams that were answered but whose request never completed. */
  sweep(nowMs: number): void {
    for (const { id, answeredAtMs } of this.#streams.values()) {
      if (answeredAtMs === undefined) continue;
      if (nowMs - answeredAtMs > REQUEST_REST_MS_MAX) {
        this.#reset(id, CODE.noError);
      }
    }
  }

  /** Ends all streams without sending frames. */
  dropAll(): void {
    for (const stream of [...this.#streams.values()]) {
      this.#drop(stream, CODE.cancel);
    }
  }

  /** A gRPC response, since only gRPC is spoken here. */
  #tooLong(): Headers {
    return {
      "content-type": "application/grpc",
      "grpc-status": "8", // RESOURCE_EXHAUSTED
      "grpc-message": "metadata is longer than " +
        `${this.#options.limits.headerListBytesMax} bytes`,
    };
  }

  /**
   * Whether a stream's frames were already in flight when we reset it, or when
   * GOAWAY was sent.
   */
  #isIgnored(id: number): boolean {
    return this.#recentlyReset.has(id) ||
      this.isGoingAway && id % 2 === 1 && id > this.#lastId;
  }

  /** An idle stream may not get such a frame. */
  #demandKnown(id: number): void {
    const isKnown = id % 2 === 1 && id <= this.#lastId;
    demand(isKnown, "protocolError", "a frame on an idle stream");
  }

  /** The stream of a frame that is ignored on an ended stream. */
  #known(id: number): Stream | undefined {
    if (this.#isIgnored(id)) return undefined;
    this.#demandKnown(id);
    return this.#streams.get(id);
  }

  #open(id: number): Stream {
    const { session, sender, onHeld, onEnded, onDefect } = this.#options;
    const stream: Stream = new Stream(id, session, {
      sendHeaders: (fields, isEnd) => sender.sendHeaders(id, fields, isEnd),
      ready: () => sender.ready(stream),
      consumed: (bytes) => this.#window.use(bytes),
      renew: (increment) =>
        sender.send(TYPE.windowUpdate, 0, id, uint32s(increment)),
      held: onHeld,
      reset: (code) => this.#reset(id, code),
      ended: () => {
        this.#drop(stream, CODE.noError);
        onEnded();
      },
      defect: onDefect,
    }, this.#sendWindow);
    this.#streams.set(id, stream);
    stream.open();
    return stream;
  }

  #drop(stream: Stream, code: number): void {
    this.#streams.delete(stream.id);
    this.#options.sender.forget(stream);
    stream.abandon(code);
  }

  #reset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    this.#options.sender.send(TYPE.resetStream, 0, id, uint32s(code));
    this.#recentlyReset.add(id);
    if (this.#recentlyReset.size > RECENTLY_RESET_MAX) {
      const [oldest = id] = this.#recentlyReset;
      this.#recentlyReset.delete(oldest);
    }
    if (stream !== undefined) this.#drop(stream, code);
    this.#options.onEnded();
  }

  #countReset(): void {
    const isTolerable = this.#resets.take(performance.now());
    demand(isTolerable, "enhanceYourCalm", "too many resets");
  }
}

function takeTrailers(
  stream: Stream,
  fields: readonly Field[],
  isEnd: boolean,
): void {
  const isOpen = !stream.isRemoteClosed;
  demand(isOpen, "streamClosed", "HEADERS on a closed stream", StreamError);
  demand(isEnd, "protocolError", "headers twice", StreamError);
  checkTrailers(fields);
  stream.receiveEnd();
}
