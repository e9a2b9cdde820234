/**
 * One HTTP/2 connection of a server (RFC 9113).
 *
 * It replaces `node:http2` because no peer may be able to crash the process or
 * take unbounded memory: Deno's module can be made to abort, leaks memory per
 * closed connection, and has no backpressure. Here, memory held for a peer is
 * counted as it comes and goes, and a peer that does not read its answers is
 * not read.
 */
import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers";
import {
  CODE,
  FLAG,
  INT31_MAX,
  join,
  SETTING,
  settingsPayload,
  TYPE,
  uint32s,
  WINDOW_BYTES_DEFAULT,
} from "../../core/http2_wire.ts";
import { Http2Error, StreamError } from "./errors.ts";
import type { Frame } from "./frames.ts";
import {
  CONNECTION_WINDOW_BYTES,
  type ConnectionLimits,
  OpenStreams,
} from "./open_streams.ts";
import { Receiver } from "./receiver.ts";
import type { Headers } from "./request.ts";
import { Sender } from "./sender.ts";
import type { Stream } from "./stream.ts";

/** What a connection's objects cost, in bytes. */
const CONNECTION_BYTES = 14_336;

/** A connection without an HTTP/2 preface by then is closed. */
const OPENING_MS_MAX = 10_000;

/**
 * New calls taken from one connection before others get their turn, as many as
 * envoy.yaml lets a caller start: a health check must not wait behind a
 * thousand.
 */
const CALLS_A_TURN = 16;

/** How long the peer of a closing connection has to read our last bytes. */
const LINGER_MS = 1000;

/** The longest wait between the two GOAWAYs of a graceful close. */
const GOAWAY_ROUND_TRIP_MS = 1000;

/** What a connection reports to its listener. */
export interface ConnectionEvents {
  readonly onStream: (stream: Stream, headers: Headers) => void;
  /** The bytes held for the peer have changed by `delta`. */
  readonly onHeld: (delta: number) => void;
  /** It ends early; the reason is one of our fixed phrases. */
  readonly onFailed: (reason: string, defect?: unknown) => void;
}

/** A connection, with the part of Node's session API that grpc-js uses. */
export class Connection extends EventEmitter {
  /** The addresses of both ends, as on Node's `Socket`. */
  readonly socket: {
    readonly remoteAddress: string;
    readonly remotePort: number;
    readonly localAddress: string;
    readonly localPort: number;
  };
  readonly streams: OpenStreams;
  closed = false;
  destroyed = false;
  /** Whether it only flushes what is queued and then closes. */
  isEnding = false;
  /** Bytes held for this peer. */
  heldBytes = 0;
  readonly #tcp: Deno.TcpConn;
  readonly #events: ConnectionEvents;
  readonly #limits: ConnectionLimits;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #startedAtMs = performance.now();
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
    const onHeld = (delta: number) => this.#hold(delta);
    this.#receiver = new Receiver(tcp, onHeld);
    this.#sender = new Sender(tcp, {
      onHeld,
      onLost: () => this.destroy(),
    });
    this.streams = new OpenStreams({
      session: this,
      limits,
      sender: this.#sender,
      onStream: events.onStream,
      onHeld,
      onEnded: () => this.#endIfIdle(),
      onDefect: (error) => this.#failBy(error),
    });
    this.socket = {
      remoteAddress: tcp.remoteAddr.hostname,
      remotePort: tcp.remoteAddr.port,
      localAddress: tcp.localAddr.hostname,
      localPort: tcp.localAddr.port,
    };
  }

  /** "host:port" of the peer, as grpc-js names it. */
  get peer(): string {
    return `${this.socket.remoteAddress}:${this.socket.remotePort}`;
  }

  /** Serves the peer until the connection has ended. */
  async run(): Promise<void> {
    this.#hold(CONNECTION_BYTES);
    this.#sendSettings();
    while (!this.destroyed) {
      const frames = await this.#receiver.read();
      if (frames === undefined) break;
      try {
        if (!this.isEnding) await this.#takeAll(frames);
      } catch (error) {
        this.#failBy(error);
      }
      // Backpressure: a peer that does not read its answers is not read.
      await this.#sender.drained();
    }
    this.destroy();
  }

  /** Closes it gracefully: no new streams, then the end of the open ones. */
  close(onClosed?: () => void): void {
    if (this.destroyed) {
      onClosed?.();
      return;
    }
    if (onClosed !== undefined) this.once("close", onClosed);
    if (this.closed) return;
    this.closed = true;
    // What the peer sent before it reads this is still served.
    this.#sendGoAway(INT31_MAX, CODE.noError);
    const second = () => {
      clearTimeout(timer);
      if (this.streams.isGoingAway || this.destroyed) return;
      this.streams.isGoingAway = true;
      this.#sendGoAway(this.streams.lastId, CODE.noError);
      this.#endIfIdle();
    };
    const timer = setTimeout(second, GOAWAY_ROUND_TRIP_MS);
    this.ping(second);
  }

  /** Sends a GOAWAY; grpc-js announces the maximum connection age with it. */
  goaway(code: number, lastId: number, debug?: Uint8Array<ArrayBuffer>): void {
    this.#sendGoAway(lastId & INT31_MAX, code, debug);
  }

  /** Calls back when the peer has answered, or no longer can. */
  ping(onAnswer: (error: Error | null) => void): boolean {
    if (this.destroyed) return false;
    this.#pings.push(onAnswer);
    this.#sender.send(TYPE.ping, 0, 0, new Uint8Array(8));
    return true;
  }

  /** Closes it now, dropping all that is held for it, and logs why. */
  endBecause(code: number, reason: string): void {
    this.#sender.discard();
    this.#fail(code, reason);
    // Otherwise what the peer does not read would stay in memory.
    if (this.#sender.isWriting) this.destroy();
  }

  /** Ends what has waited too long for the peer; called periodically. */
  sweep(nowMs: number): void {
    const isSilent = !this.#receiver.isOpen &&
      nowMs - this.#startedAtMs > OPENING_MS_MAX;
    if (isSilent || this.#sender.isStalled(nowMs)) this.destroy();
    else this.streams.sweep(nowMs);
  }

  /** Closes it at once, without a GOAWAY. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.closed = true;
    try {
      this.#tcp.close();
    } catch {
      // Already closed.
    }
    this.#sender.close();
    this.streams.dropAll();
    this.#events.onHeld(-this.heldBytes);
    this.heldBytes = 0;
    const error = new Error("The connection is closed");
    this.#pings.splice(0).forEach((onAnswer) => onAnswer(error));
    this.emit("close");
    this.removeAllListeners();
  }

  async #takeAll(frames: Iterable<Frame>): Promise<void> {
    let calls = 0;
    for (const frame of frames) {
      try {
        this.#take(frame);
      } catch (error) {
        if (!(error instanceof StreamError) || !("stream" in frame)) {
          throw error;
        }
        this.streams.takeFault(frame.stream, error.code);
      }
      if (frame.kind === "headers") calls += 1;
      if (calls === CALLS_A_TURN) {
        calls = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
      // Processing that, or anything since, may have closed the connection.
      if (this.isEnding || this.destroyed) return;
    }
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "data":
        return this.streams.takeData(frame);
      case "headers":
        return this.streams.takeHeaders(frame);
      case "reset":
        return this.streams.takeReset(frame);
      case "windowUpdate":
        return this.streams.takeWindowUpdate(frame);
      case "settings":
        this.#sender.send(TYPE.settings, FLAG.ack, 0);
        if (frame.windowBytes === undefined) return;
        return this.streams.takeWindow(frame.windowBytes);
      case "ping":
        return this.#sender.send(TYPE.ping, FLAG.ack, 0, frame.payload);
      case "pong":
        this.#pings.shift()?.(null);
        return;
      case "goAway":
        // The peer opens no more streams; the open ones may finish.
        this.streams.isGoingAway = true;
        this.#endIfIdle();
    }
  }

  #sendSettings(): void {
    const settings = settingsPayload([
      [SETTING.maxConcurrentStreams, this.#limits.concurrentStreamsMax],
      [SETTING.maxHeaderListSize, this.#limits.headerListBytesMax],
    ]);
    this.#sender.send(TYPE.settings, 0, 0, settings);
    const increment = CONNECTION_WINDOW_BYTES - WINDOW_BYTES_DEFAULT;
    this.#sender.send(TYPE.windowUpdate, 0, 0, uint32s(increment));
  }

  #sendGoAway(id: number, code: number, debug = new Uint8Array(0)): void {
    const payload = join(uint32s(id, code), debug);
    this.#sender.send(TYPE.goAway, 0, 0, payload);
  }

  #hold(delta: number): void {
    this.heldBytes += delta;
    this.#events.onHeld(delta);
  }

  /** After GOAWAY and the last stream, the connection is of no use. */
  #endIfIdle(): void {
    if (this.streams.isGoingAway && this.streams.count === 0) this.#end();
  }

  /** Closes it because of what was thrown: a peer's fault or our defect. */
  #failBy(error: unknown): void {
    if (error instanceof Http2Error) this.#fail(error.code, error.message);
    else this.#fail(CODE.internalError, "a defect of this server", error);
  }

  #fail(code: number, reason: string, defect?: unknown): void {
    const isOver = this.destroyed || this.isEnding;
    if (!isOver || defect !== undefined) this.#events.onFailed(reason, defect);
    if (isOver) return;
    const debug = new TextEncoder().encode(reason);
    this.#sendGoAway(this.streams.lastId, code, debug);
    this.#end();
    this.streams.dropAll();
  }

  /**
   * Flushes what is queued and closes our side. Reading goes on until the peer
   * closes too: closing earlier could destroy our last bytes before it has read
   * them.
   */
  #end(): void {
    if (this.isEnding || this.destroyed) return;
    this.isEnding = true;
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.once("close", () => clearTimeout(timer));
    void this.#sender.end();
  }
}
