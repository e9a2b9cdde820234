/**
 * One HTTP/2 connection of a server (RFC 9113).
 *
 * It is here, and not Node's module, because a peer must not be able to end
 * the process or to take memory without bound. Deno's `node:http2` keeps what
 * closed connections have used, calls every write done at once, so that a
 * slow reader costs memory, and can be made to abort. What is held here for a
 * peer is counted as it comes and goes, and reading stops while a peer does
 * not take what it is owed.
 */
import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers";
import {
  encodeHeaders,
  type Field,
  HpackDecoder,
  HpackError,
} from "./hpack.ts";
import { checkTrailers, type Headers, requestHeaders } from "./request.ts";
import { Stream } from "./stream.ts";
import { TokenBucket } from "./token_bucket.ts";
import {
  CODE,
  FLAG,
  frame,
  type Head,
  HEAD_BYTES,
  headAt,
  Http2Error,
  INT31_MAX,
  PAYLOAD_BYTES_MAX,
  PREFACE,
  SETTING,
  settingsPayload,
  TYPE,
  uint32,
  uint32s,
  WINDOW_BYTES_DEFAULT,
} from "./wire.ts";

/** What a connection costs by its objects and its read buffer, in bytes. */
const CONNECTION_BYTES = 16_384;

/** Request data that all streams together may have under way, in bytes. */
const CONNECTION_WINDOW_BYTES = 1_048_576;

/** The longest header block, compressed, with all its continuations. */
const HEADER_BLOCK_BYTES_MAX = 32_768;

/** Frames of one header block; more are sent only to be a nuisance. */
const CONTINUATIONS_MAX = 16;

/** Bytes that wait for the socket before data of streams waits instead. */
const OUTPUT_BYTES_MAX = 65_536;

/** Bytes that wait for the socket before nothing is read any more. */
const READ_PAUSE_BYTES = 262_144;

/** Read buffers grow with what comes, so that silent peers cost little. */
const READ_BYTES_MIN = 2048;
const READ_BYTES_MAX = 32_768;

/**
 * Streams that a peer may reset, at once and each second: a balancer passes
 * on the cancels of all its callers, and an attacker sends far more.
 */
const RESETS_MAX = 2000;
const RESETS_PER_S = 200;

/** Streams ended by us whose last frames may still be on their way. */
const RECENTLY_RESET_MAX = 256;

/** A connection that has not said that it speaks HTTP/2 by then is closed. */
const OPENING_MS_MAX = 10_000;

/** A peer that takes nothing for so long has gone. */
const WRITING_MS_MAX = 30_000;

/** How long the rest of a request may take that is answered already. */
const REQUEST_REST_MS_MAX = 1000;

/** How long the peer of an ended connection has to take our last bytes. */
const LINGER_MS = 1000;

/** The first of two GOAWAYs is followed by the second after this at most. */
const GOAWAY_ROUND_TRIP_MS = 1000;

/** The addresses of both ends, as a `Socket` has them. */
export interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** What a connection tells its listener. */
export interface ConnectionEvents {
  readonly onStream: (stream: Stream, headers: Headers) => void;
  /** The bytes that are held for the peer have changed by so many. */
  readonly onHeld: (delta: number) => void;
  /** It ends before its time; a fixed sentence of ours says why. */
  readonly onFailed: (reason: string) => void;
}

/** The limits of a connection. */
export interface ConnectionLimits {
  readonly concurrentStreamsMax: number;
  /** Header lists, as `SETTINGS_MAX_HEADER_LIST_SIZE` counts them. */
  readonly headerListBytesMax: number;
}

/** A connection with the part of Node's session API that grpc-js uses. */
export class Connection extends EventEmitter {
  readonly socket: Ends;
  closed = false;
  destroyed = false;
  readonly #tcp: Deno.TcpConn;
  readonly #events: ConnectionEvents;
  readonly #limits: ConnectionLimits;
  readonly #streams = new Map<number, Stream>();
  readonly #ready = new Set<Stream>();
  readonly #hpack: HpackDecoder;
  readonly #resets = new TokenBucket(RESETS_MAX, RESETS_PER_S);
  readonly #recentlyReset = new Set<number>();
  readonly #startedAtMs = performance.now();
  /** When the write that is under way began. */
  #writingSinceMs: number | undefined;
  /** Whether the peer has said that it speaks HTTP/2. */
  #isOpen = false;
  #heldBytes = 0;
  #sendWindow = WINDOW_BYTES_DEFAULT;
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  #receiveCredit = 0;
  #peerStreamWindow = WINDOW_BYTES_DEFAULT;
  #peerPayloadMax = PAYLOAD_BYTES_MAX;
  #lastStream = 0;
  #block:
    | { readonly head: Head; parts: Uint8Array[]; bytes: number }
    | undefined;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #flushing: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;
  #isGoingAway = false;
  #isEnding = false;
  #pings: ((error: Error | null) => void)[] = [];

  constructor(
    tcp: Deno.TcpConn,
    limits: ConnectionLimits,
    events: ConnectionEvents,
  ) {
    super();
    this.#tcp = tcp;
    this.#limits = limits;
    this.#events = events;
    this.#hpack = new HpackDecoder(limits.headerListBytesMax);
    this.socket = {
      remoteAddress: tcp.remoteAddr.hostname,
      remotePort: tcp.remoteAddr.port,
      localAddress: tcp.localAddr.hostname,
      localPort: tcp.localAddr.port,
    };
    this.#hold(CONNECTION_BYTES);
  }

  /** "host:port" of the peer, as grpc-js names it. */
  get peer(): string {
    return `${this.socket.remoteAddress}:${this.socket.remotePort}`;
  }

  /** What is held for this peer, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Serves the peer until the connection has ended. */
  async run(): Promise<void> {
    this.#sendSettings();
    try {
      await this.#readAll();
    } catch (error) {
      if (isConnectionLost(error)) return;
      const isPeers = error instanceof Http2Error;
      const reason = isPeers
        ? error
        : new Http2Error(CODE.internalError, "a defect of this server");
      this.#fail(reason);
      await this.#discard();
      if (!isPeers) throw error;
    } finally {
      this.destroy();
    }
  }

  /** Ends it in order: no new stream, then the end of those that are open. */
  close(onClosed?: () => void): void {
    if (this.destroyed) {
      onClosed?.();
      return;
    }
    if (onClosed !== undefined) this.once("close", onClosed);
    if (this.closed) return;
    this.closed = true;
    // What the peer has sent before it reads this is still served.
    this.#sendGoAway(INT31_MAX, CODE.noError);
    const second = () => {
      clearTimeout(timer);
      if (this.#isGoingAway || this.destroyed) return;
      this.#isGoingAway = true;
      this.#sendGoAway(this.#lastStream, CODE.noError);
      this.#endIfIdle();
    };
    const timer = setTimeout(second, GOAWAY_ROUND_TRIP_MS);
    this.ping(second);
  }

  /** Sends a GOAWAY of its own; grpc-js announces a connection's age so. */
  goaway(code: number, lastStream: number, debug?: Uint8Array): void {
    if (this.destroyed) throw new Error("The connection has ended");
    this.#sendGoAway(lastStream & INT31_MAX, code, debug);
  }

  /** Calls back when the peer has answered, or cannot any more. */
  ping(onAnswer: (error: Error | null) => void): boolean {
    if (this.destroyed) return false;
    this.#pings.push(onAnswer);
    this.#send(frame(TYPE.ping, 0, 0, new Uint8Array(8)));
    return true;
  }

  /** Whether nothing but the end is sent any more. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Ends it now and says why. */
  endBecause(code: number, reason: string): void {
    this.#fail(new Http2Error(code, reason));
  }

  /** Ends what has waited for the peer for too long; called now and then. */
  sweep(nowMs: number): void {
    const isSilent = !this.#isOpen &&
      nowMs - this.#startedAtMs > OPENING_MS_MAX;
    const isStalled = this.#writingSinceMs !== undefined &&
      nowMs - this.#writingSinceMs > WRITING_MS_MAX;
    if (isSilent || isStalled) {
      this.destroy();
      return;
    }
    for (const { id, answeredAtMs } of this.#streams.values()) {
      if (answeredAtMs === undefined) continue;
      if (nowMs - answeredAtMs > REQUEST_REST_MS_MAX) {
        this.#reset(id, CODE.noError);
      }
    }
  }

  /** Ends it at once, without a word. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.closed = true;
    try {
      this.#tcp.close();
    } catch {
      // It has ended by itself.
    }
    for (const stream of [...this.#streams.values()]) {
      this.#drop(stream, CODE.cancel);
    }
    this.#output = [];
    this.#block = undefined;
    this.#hold(-this.#heldBytes);
    this.#onDrained?.();
    const error = new Error("The connection has ended");
    this.#pings.splice(0).forEach((onAnswer) => onAnswer(error));
    this.emit("close");
    this.removeAllListeners();
  }

  // Reading.

  async #readAll(): Promise<void> {
    let buffer = new Uint8Array(READ_BYTES_MIN);
    let rest = new Uint8Array();
    let prefaceLeft = PREFACE;
    while (true) {
      const count = await this.#tcp.read(buffer);
      if (count === null || this.destroyed) return;
      let bytes = join(rest, buffer.subarray(0, count));
      if (prefaceLeft.length > 0) {
        const part = bytes.subarray(0, prefaceLeft.length);
        if (part.some((byte, at) => byte !== prefaceLeft[at])) {
          throw new Http2Error(CODE.protocolError, "this is not HTTP/2");
        }
        prefaceLeft = prefaceLeft.subarray(part.length);
        bytes = bytes.subarray(part.length);
        if (prefaceLeft.length > 0) continue;
      }
      const used = this.#takeFrames(bytes);
      rest = bytes.slice(used);
      if (count === buffer.length && count < READ_BYTES_MAX) {
        buffer = new Uint8Array(count * 2);
      } else if (count < READ_BYTES_MIN && buffer.length > READ_BYTES_MIN) {
        buffer = new Uint8Array(READ_BYTES_MIN);
      }
      // A peer that does not read what it is owed is not read either.
      while (this.#outputBytes > READ_PAUSE_BYTES && !this.destroyed) {
        await new Promise<void>((resolve) => this.#onDrained = resolve);
      }
    }
  }

  #takeFrames(bytes: Uint8Array): number {
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES && !this.#isEnding) {
      const head = headAt(bytes, at);
      if (head.length > PAYLOAD_BYTES_MAX) {
        throw new Http2Error(CODE.frameSizeError, "a frame is too long");
      }
      const end = at + HEAD_BYTES + head.length;
      if (end > bytes.length) break;
      this.#take(head, bytes.subarray(at + HEAD_BYTES, end));
      at = end;
    }
    return this.#isEnding ? bytes.length : at;
  }

  #take(head: Head, payload: Uint8Array): void {
    if (!this.#isOpen) {
      if (head.type !== TYPE.settings || (head.flags & FLAG.ack) !== 0) {
        throw new Http2Error(CODE.protocolError, "settings do not come first");
      }
      this.#isOpen = true;
    }
    if (this.#block !== undefined && head.type !== TYPE.continuation) {
      throw new Http2Error(CODE.protocolError, "a header block is not ended");
    }
    try {
      this.#dispatch(head, payload);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#reset(head.stream, error.code);
    }
  }

  #dispatch(head: Head, payload: Uint8Array): void {
    switch (head.type) {
      case TYPE.data:
        return this.#takeData(head, payload);
      case TYPE.headers:
        return this.#takeHeaders(head, payload);
      case TYPE.priority:
        return this.#takePriority(head, payload);
      case TYPE.resetStream:
        return this.#takeReset(head, payload);
      case TYPE.settings:
        return this.#takeSettings(head, payload);
      case TYPE.pushPromise:
        throw new Http2Error(CODE.protocolError, "a client may not push");
      case TYPE.ping:
        return this.#takePing(head, payload);
      case TYPE.goAway:
        return this.#takeGoAway(head, payload);
      case TYPE.windowUpdate:
        return this.#takeWindowUpdate(head, payload);
      case TYPE.continuation:
        return this.#takeContinuation(head, payload);
      default: // Frames of types unknown are to be ignored.
    }
  }

  #takeData(head: Head, payload: Uint8Array): void {
    if (head.stream === 0) throw new Http2Error(CODE.protocolError, "data");
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < 0) {
      throw new Http2Error(CODE.flowControlError, "more data than allowed");
    }
    const content = unpadded(head, payload);
    const stream = this.#streams.get(head.stream);
    if (stream === undefined || stream.isRemoteClosed) {
      this.#creditConnection(payload.length);
      if (this.#isIgnored(head.stream)) return;
      this.#requireKnown(head.stream);
      throw new StreamError(CODE.streamClosed);
    }
    if (payload.length > stream.receiveWindow) {
      this.#creditConnection(payload.length);
      throw new StreamError(CODE.flowControlError);
    }
    const padding = payload.length - content.length;
    stream.receiveWindow -= padding;
    this.#consumed(stream, padding);
    if (!stream.count(content.length)) {
      this.#creditConnection(content.length);
      throw new StreamError(CODE.protocolError);
    }
    if (content.length > 0) stream.receive(content);
    if ((head.flags & FLAG.endStream) === 0) return;
    if (!stream.isWhole) throw new StreamError(CODE.protocolError);
    stream.receiveEnd();
  }

  #takeHeaders(head: Head, payload: Uint8Array): void {
    if (head.stream % 2 === 0) {
      throw new Http2Error(CODE.protocolError, "a stream's number is even");
    }
    let block = unpadded(head, payload);
    if ((head.flags & FLAG.priority) !== 0) {
      if (block.length < 5) {
        throw new Http2Error(CODE.frameSizeError, "headers");
      }
      if ((uint32(block, 0) & INT31_MAX) === head.stream) {
        throw new Http2Error(CODE.protocolError, "a stream depends on itself");
      }
      block = block.subarray(5);
    }
    this.#block = { head, parts: [block.slice()], bytes: block.length };
    if ((head.flags & FLAG.endHeaders) !== 0) this.#takeBlock();
  }

  #takeContinuation(head: Head, payload: Uint8Array): void {
    const block = this.#block;
    if (block === undefined || block.head.stream !== head.stream) {
      throw new Http2Error(CODE.protocolError, "a continuation of nothing");
    }
    block.parts.push(payload.slice());
    block.bytes += payload.length;
    if (
      block.bytes > HEADER_BLOCK_BYTES_MAX ||
      block.parts.length > CONTINUATIONS_MAX
    ) {
      throw new Http2Error(CODE.enhanceYourCalm, "a header block is too long");
    }
    if ((head.flags & FLAG.endHeaders) !== 0) this.#takeBlock();
  }

  #takeBlock(): void {
    if (this.#block === undefined) return;
    const { head, parts } = this.#block;
    this.#block = undefined;
    // Always decoded: the table must follow the peer's.
    const { fields, isTooLong } = this.#decode(join(...parts));
    const isEnd = (head.flags & FLAG.endStream) !== 0;
    const stream = this.#streams.get(head.stream);
    if (stream !== undefined) {
      this.#takeTrailers(stream, fields, isEnd);
      return;
    }
    if (this.#isIgnored(head.stream)) return;
    if (head.stream <= this.#lastStream) {
      throw new Http2Error(CODE.streamClosed, "headers on a closed stream");
    }
    this.#lastStream = head.stream;
    if (this.#streams.size >= this.#limits.concurrentStreamsMax) {
      throw new StreamError(CODE.refusedStream);
    }
    const headers = streamChecked(() => requestHeaders(fields, isTooLong));
    const opened = this.#open(head.stream);
    opened.expect(headers["content-length"]);
    if (isTooLong) {
      opened.isRemoteClosed = isEnd;
      opened.respond(this.#tooLong(), { endStream: true });
      return;
    }
    if (isEnd && !opened.isWhole) throw new StreamError(CODE.protocolError);
    opened.isRemoteClosed = isEnd;
    this.#events.onStream(opened, headers);
    if (isEnd) opened.receiveEnd();
  }

  #takeTrailers(
    stream: Stream,
    fields: readonly Field[],
    isEnd: boolean,
  ): void {
    if (stream.isRemoteClosed) throw new StreamError(CODE.streamClosed);
    if (!isEnd) throw new StreamError(CODE.protocolError);
    streamChecked(() => checkTrailers(fields));
    if (!stream.isWhole) throw new StreamError(CODE.protocolError);
    stream.receiveEnd();
  }

  #decode(block: Uint8Array): ReturnType<HpackDecoder["decode"]> {
    try {
      return this.#hpack.decode(block);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw new Http2Error(CODE.compressionError, error.message);
    }
  }

  /** A gRPC answer, since only gRPC is spoken here. */
  #tooLong(): Headers {
    return {
      "content-type": "application/grpc",
      "grpc-status": "8", // RESOURCE_EXHAUSTED
      "grpc-message": "metadata is longer than " +
        `${this.#limits.headerListBytesMax} bytes`,
    };
  }

  #takePriority(head: Head, payload: Uint8Array): void {
    if (head.stream === 0) throw new Http2Error(CODE.protocolError, "priority");
    if (payload.length !== 5) throw new StreamError(CODE.frameSizeError);
    if ((uint32(payload, 0) & INT31_MAX) === head.stream) {
      throw new StreamError(CODE.protocolError);
    }
  }

  #takeReset(head: Head, payload: Uint8Array): void {
    if (payload.length !== 4) {
      throw new Http2Error(CODE.frameSizeError, "reset");
    }
    if (this.#isIgnored(head.stream)) return;
    this.#requireKnown(head.stream);
    const stream = this.#streams.get(head.stream);
    if (stream === undefined) return;
    if (!this.#resets.take(performance.now())) {
      throw new Http2Error(CODE.enhanceYourCalm, "too many resets");
    }
    this.#drop(stream, uint32(payload, 0));
    this.#endIfIdle();
  }

  #takeSettings(head: Head, payload: Uint8Array): void {
    if (head.stream !== 0) throw new Http2Error(CODE.protocolError, "settings");
    const isAck = (head.flags & FLAG.ack) !== 0;
    if (isAck ? payload.length > 0 : payload.length % 6 !== 0) {
      throw new Http2Error(CODE.frameSizeError, "settings");
    }
    if (isAck) return;
    for (let at = 0; at < payload.length; at += 6) {
      const id = uint32(payload, at) >>> 16;
      this.#takeSetting(id, uint32(payload, at + 2));
    }
    this.#send(frame(TYPE.settings, FLAG.ack, 0));
    this.#pump();
  }

  #takeSetting(id: number, value: number): void {
    if (id === SETTING.enablePush && value > 1) {
      throw new Http2Error(CODE.protocolError, "settings: push");
    }
    if (id === SETTING.maxFrameSize) {
      if (value < PAYLOAD_BYTES_MAX || value > 0xff_ffff) {
        throw new Http2Error(CODE.protocolError, "settings: frame size");
      }
      this.#peerPayloadMax = Math.min(value, PAYLOAD_BYTES_MAX);
    }
    if (id !== SETTING.initialWindowSize) return;
    if (value > INT31_MAX) {
      throw new Http2Error(CODE.flowControlError, "settings: window size");
    }
    const delta = value - this.#peerStreamWindow;
    this.#peerStreamWindow = value;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += delta;
      if (stream.sendWindow > INT31_MAX) {
        throw new Http2Error(CODE.flowControlError, "a window is too large");
      }
      this.#ready.add(stream);
    }
  }

  #takePing(head: Head, payload: Uint8Array): void {
    if (head.stream !== 0) throw new Http2Error(CODE.protocolError, "ping");
    if (payload.length !== 8) throw new Http2Error(CODE.frameSizeError, "ping");
    if ((head.flags & FLAG.ack) !== 0) this.#pings.shift()?.(null);
    else this.#send(frame(TYPE.ping, FLAG.ack, 0, payload));
  }

  #takeGoAway(head: Head, payload: Uint8Array): void {
    if (head.stream !== 0) throw new Http2Error(CODE.protocolError, "goaway");
    if (payload.length < 8) throw new Http2Error(CODE.frameSizeError, "goaway");
    // The peer opens no more streams: those that are open come to their end.
    this.#isGoingAway = true;
    this.#endIfIdle();
  }

  #takeWindowUpdate(head: Head, payload: Uint8Array): void {
    if (payload.length !== 4) {
      throw new Http2Error(CODE.frameSizeError, "window");
    }
    const increment = uint32(payload, 0) & INT31_MAX;
    if (head.stream === 0) {
      this.#sendWindow += increment;
      if (increment === 0 || this.#sendWindow > INT31_MAX) {
        const code = increment === 0 ? "protocolError" : "flowControlError";
        throw new Http2Error(CODE[code], "a window's increment");
      }
      this.#pump();
      return;
    }
    if (this.#isIgnored(head.stream)) return;
    this.#requireKnown(head.stream);
    const stream = this.#streams.get(head.stream);
    if (stream === undefined) return;
    if (increment === 0) throw new StreamError(CODE.protocolError);
    stream.sendWindow += increment;
    if (stream.sendWindow > INT31_MAX) {
      throw new StreamError(CODE.flowControlError);
    }
    this.#ready.add(stream);
    this.#pump();
  }

  /**
   * Whether frames of a stream are what was on its way when we ended it, or
   * when the peer was told that no new stream is served.
   */
  #isIgnored(stream: number): boolean {
    return this.#recentlyReset.has(stream) ||
      this.#isGoingAway && stream % 2 === 1 && stream > this.#lastStream;
  }

  /** A stream that nobody has opened can have no such frame. */
  #requireKnown(stream: number): void {
    if (stream === 0 || stream % 2 === 0 || stream > this.#lastStream) {
      throw new Http2Error(CODE.protocolError, "a stream that is idle");
    }
  }

  // Streams.

  #open(id: number): Stream {
    const stream: Stream = new Stream(id, this, {
      sendHeaders: (fields, isEnd) => {
        this.#sendHeaders(id, fields, isEnd);
      },
      ready: () => {
        this.#ready.add(stream);
        this.#pump();
      },
      consumed: (count) => this.#consumed(stream, count),
      held: (delta) => this.#hold(delta),
      reset: (code) => this.#reset(id, code),
      ended: () => {
        this.#drop(stream, CODE.noError);
        this.#endIfIdle();
      },
    }, this.#peerStreamWindow);
    this.#streams.set(id, stream);
    return stream;
  }

  #drop(stream: Stream, code: number): void {
    this.#streams.delete(stream.id);
    this.#ready.delete(stream);
    stream.abandon(code);
  }

  #reset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    this.#send(frame(TYPE.resetStream, 0, id, uint32s(code)));
    this.#recentlyReset.add(id);
    if (this.#recentlyReset.size > RECENTLY_RESET_MAX) {
      const [oldest = id] = this.#recentlyReset;
      this.#recentlyReset.delete(oldest);
    }
    if (stream !== undefined) this.#drop(stream, code);
    this.#endIfIdle();
  }

  /** Renews windows when half of them is used up. */
  #consumed(stream: Stream, count: number): void {
    this.#creditConnection(count);
    if (stream.closed || stream.isRemoteClosed) return;
    stream.receiveCredit += count;
    if (stream.receiveCredit < WINDOW_BYTES_DEFAULT / 2) return;
    const increment = uint32s(stream.receiveCredit);
    this.#send(frame(TYPE.windowUpdate, 0, stream.id, increment));
    stream.receiveWindow += stream.receiveCredit;
    stream.receiveCredit = 0;
  }

  #creditConnection(count: number): void {
    this.#receiveCredit += count;
    if (this.#receiveCredit < CONNECTION_WINDOW_BYTES / 2) return;
    const increment = uint32s(this.#receiveCredit);
    this.#send(frame(TYPE.windowUpdate, 0, 0, increment));
    this.#receiveWindow += this.#receiveCredit;
    this.#receiveCredit = 0;
  }

  #hold(delta: number): void {
    this.#heldBytes += delta;
    this.#events.onHeld(delta);
  }

  // Writing.

  #sendSettings(): void {
    this.#send(frame(
      TYPE.settings,
      0,
      0,
      settingsPayload([
        [SETTING.maxConcurrentStreams, this.#limits.concurrentStreamsMax],
        [SETTING.maxHeaderListSize, this.#limits.headerListBytesMax],
      ]),
    ));
    const increment = CONNECTION_WINDOW_BYTES - WINDOW_BYTES_DEFAULT;
    this.#send(frame(TYPE.windowUpdate, 0, 0, uint32s(increment)));
  }

  #sendGoAway(lastStream: number, code: number, debug?: Uint8Array): void {
    const numbers = uint32s(lastStream, code);
    const payload = debug === undefined ? numbers : join(numbers, debug);
    this.#send(frame(TYPE.goAway, 0, 0, payload));
  }

  #sendHeaders(
    id: number,
    fields: readonly Field[],
    isEnd: boolean,
  ): void {
    const block = encodeHeaders(fields);
    for (let at = 0; at === 0 || at < block.length; at += PAYLOAD_BYTES_MAX) {
      const part = block.subarray(at, at + PAYLOAD_BYTES_MAX);
      const isLast = at + part.length === block.length;
      const flags = (isLast ? FLAG.endHeaders : 0) |
        (isEnd && at === 0 ? FLAG.endStream : 0);
      const type = at === 0 ? TYPE.headers : TYPE.continuation;
      this.#send(frame(type, flags, id, part));
    }
  }

  /** Makes frames of what streams have, each in turn, as windows allow. */
  #pump(): void {
    while (
      this.#sendWindow > 0 && this.#outputBytes < OUTPUT_BYTES_MAX &&
      !this.destroyed
    ) {
      const [stream] = this.#ready;
      if (stream === undefined) return;
      this.#ready.delete(stream);
      const room = Math.min(
        stream.sendWindow,
        this.#sendWindow,
        this.#peerPayloadMax,
      );
      const data = room <= 0 ? undefined : stream.takeOutput(room);
      if (data === undefined) continue; // Ready again by a window or a write.
      this.#sendWindow -= data.length;
      this.#send(frame(TYPE.data, 0, stream.id, data));
      this.#ready.add(stream);
    }
  }

  /** Queues a frame; all of one turn of the event loop leave together. */
  #send(bytes: Uint8Array): void {
    if (this.destroyed) return;
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
    this.#hold(bytes.length);
    this.#flushing ??= new Promise((resolve) => {
      setImmediate(() => void this.#flush().finally(resolve));
    });
  }

  async #flush(): Promise<void> {
    try {
      while (this.#output.length > 0 && !this.destroyed) {
        const bytes = join(...this.#output);
        this.#output = [];
        this.#writingSinceMs = performance.now();
        for (let at = 0; at < bytes.length;) {
          at += await this.#tcp.write(bytes.subarray(at));
        }
        if (this.destroyed) return;
        this.#outputBytes -= bytes.length;
        this.#hold(-bytes.length);
        this.#pump();
        this.#onDrained?.();
        this.#onDrained = undefined;
      }
    } catch (error) {
      this.destroy();
      if (!isConnectionLost(error)) throw error;
    } finally {
      this.#flushing = undefined;
      this.#writingSinceMs = undefined;
    }
  }

  // Ending.

  /** After GOAWAY and the last stream, the connection has no use. */
  #endIfIdle(): void {
    if (!this.#isGoingAway || this.#streams.size > 0 || this.destroyed) return;
    this.#endOutput();
  }

  #fail(error: Http2Error): void {
    if (this.destroyed || this.#isEnding) return;
    this.#events.onFailed(error.message);
    for (const stream of [...this.#streams.values()]) {
      this.#drop(stream, CODE.cancel);
    }
    const debug = new TextEncoder().encode(error.message);
    this.#sendGoAway(this.#lastStream, error.code, debug);
    this.#endOutput();
  }

  /**
   * Sends what is queued and the end. Reading goes on until the peer has
   * ended too: closing before that would take our last bytes from it.
   */
  #endOutput(): void {
    if (this.#isEnding || this.destroyed) return;
    this.#isEnding = true;
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.once("close", () => clearTimeout(timer));
    void (this.#flushing ?? Promise.resolve())
      .then(() => this.destroyed ? undefined : this.#tcp.closeWrite())
      .catch(() => this.destroy());
  }

  async #discard(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES_MIN);
    try {
      while (!this.destroyed && await this.#tcp.read(buffer) !== null);
    } catch {
      // The peer has not waited for the end.
    }
  }
}

/** Ends a stream, not the connection. */
class StreamError extends Http2Error {
  constructor(code: number) {
    super(code, "");
  }
}

function streamChecked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof Http2Error ? new StreamError(error.code) : error;
  }
}

function unpadded(head: Head, payload: Uint8Array): Uint8Array {
  if ((head.flags & FLAG.padded) === 0) return payload;
  const padding = payload[0] ?? 0;
  if (padding >= payload.length) {
    throw new Http2Error(CODE.protocolError, "more padding than payload");
  }
  return payload.subarray(1, payload.length - padding);
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether an error says that the peer or we have ended the connection. */
function isConnectionLost(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.UnexpectedEof;
}
