/**
 * One HTTP/2 connection of a server (RFC 9113).
 *
 * It is here, and not Node's module, because a peer must not be able to end
 * the process or to take memory without bound: Deno's `node:http2` can be made
 * to abort, keeps what closed connections have used, and has no back-pressure.
 * What is held here for a peer is counted as it comes and goes, and a peer
 * that does not take what it is owed is not read.
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

/** What a connection costs by its objects, in bytes. */
const CONNECTION_BYTES = 14_336;

/** A connection that has not said that it speaks HTTP/2 by then is closed. */
const OPENING_MS_MAX = 10_000;

/**
 * New calls of one connection before the others get their turn, as many as
 * envoy.yaml lets a caller start: a health check must not wait for a thousand.
 */
const CALLS_A_TURN = 16;

/** How long the peer of an ended connection has to take our last bytes. */
const LINGER_MS = 1000;

/** The first of two GOAWAYs is followed by the second after this at most. */
const GOAWAY_ROUND_TRIP_MS = 1000;

/** What a connection tells its listener. */
export interface ConnectionEvents {
  readonly onStream: (stream: Stream, headers: Headers) => void;
  /** The bytes that are held for the peer have changed by so many. */
  readonly onHeld: (delta: number) => void;
  /** It ends before its time; the reason is a fixed one of ours. */
  readonly onFailed: (reason: string, defect?: unknown) => void;
}

/** A connection with the part of Node's session API that grpc-js uses. */
export class Connection extends EventEmitter {
  /** The addresses of both ends, as a `Socket` of Node's has them. */
  readonly socket: {
    readonly remoteAddress: string;
    readonly remotePort: number;
    readonly localAddress: string;
    readonly localPort: number;
  };
  readonly streams: OpenStreams;
  closed = false;
  destroyed = false;
  /** Whether nothing but the end is sent any more. */
  isEnding = false;
  /** What is held for this peer. */
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
      // A peer that does not read what it is owed is not read either.
      await this.#sender.drained();
    }
    this.destroy();
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
      if (this.streams.isGoingAway || this.destroyed) return;
      this.streams.isGoingAway = true;
      this.#sendGoAway(this.streams.lastId, CODE.noError);
      this.#endIfIdle();
    };
    const timer = setTimeout(second, GOAWAY_ROUND_TRIP_MS);
    this.ping(second);
  }

  /** Sends a GOAWAY of its own; grpc-js announces a connection's age so. */
  goaway(code: number, lastId: number, debug?: Uint8Array<ArrayBuffer>): void {
    this.#sendGoAway(lastId & INT31_MAX, code, debug);
  }

  /** Calls back when the peer has answered, or cannot any more. */
  ping(onAnswer: (error: Error | null) => void): boolean {
    if (this.destroyed) return false;
    this.#pings.push(onAnswer);
    this.#sender.send(TYPE.ping, 0, 0, new Uint8Array(8));
    return true;
  }

  /** Ends it now, with all that is held for it, and says why. */
  endBecause(code: number, reason: string): void {
    this.#sender.discard();
    this.#fail(code, reason);
    // What a peer does not take would be held on.
    if (this.#sender.isWriting) this.destroy();
  }

  /** Ends what has waited for the peer for too long; called now and then. */
  sweep(nowMs: number): void {
    const isSilent = !this.#receiver.isOpen &&
      nowMs - this.#startedAtMs > OPENING_MS_MAX;
    if (isSilent || this.#sender.isStalled(nowMs)) this.destroy();
    else this.streams.sweep(nowMs);
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
    this.#sender.close();
    this.streams.dropAll();
    this.#events.onHeld(-this.heldBytes);
    this.heldBytes = 0;
    const error = new Error("The connection has ended");
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
      // What was taken, or has happened since, can have ended all.
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
        // The peer opens no more streams; those that are open come to an end.
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

  /** After GOAWAY and the last stream, the connection has no use. */
  #endIfIdle(): void {
    if (this.streams.isGoingAway && this.streams.count === 0) this.#end();
  }

  /** Ends it by what was thrown: a fault of the peer, or a defect of ours. */
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
   * Sends what is queued and the end. Reading goes on until the peer has
   * ended too: closing before that would take our last bytes from it.
   */
  #end(): void {
    if (this.isEnding || this.destroyed) return;
    this.isEnding = true;
    const timer = setTimeout(() => this.destroy(), LINGER_MS);
    this.once("close", () => clearTimeout(timer));
    void this.#sender.end();
  }
}
