/** A listener for tests, and raw peers that connect to it. */
import {
  CODE,
  frame,
  join,
  PREFACE,
  TYPE,
  uint32,
  uint32s,
} from "../../core/http2_wire.ts";
import {
  callFields,
  framesIn,
  headers,
  type ReceivedFrame,
  settings,
} from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";
import type { Connection } from "./connection.ts";
import { HpackDecoder } from "./hpack.ts";
import { Http2Listener, type ListenerOptions } from "./listener.ts";
import type { Headers } from "./request.ts";
import type { Stream } from "./stream.ts";

/** What a test does with the streams that peers open. */
export type OnStream = (stream: Stream, headers: Headers) => void;

/** A listener on a free port, the lines it has logged, and its peers. */
export class Bench implements AsyncDisposable {
  readonly listener: Http2Listener;
  readonly lines: string[] = [];
  /** In the order they arrived. */
  readonly connections: Connection[] = [];
  readonly streams: Stream[] = [];
  readonly port: number;
  readonly #peers: Peer[] = [];

  constructor(onStream: OnStream, options: Partial<ListenerOptions> = {}) {
    this.listener = new Http2Listener({
      concurrentStreamsMax: 100,
      headerListBytesMax: 1000,
      heldBytesMax: 64 * 1_048_576,
      log: (line) => this.lines.push(line),
      ...options,
    });
    this.listener.on("session", (one: Connection) => {
      this.connections.push(one);
    });
    this.listener.on("stream", (stream: Stream, fields: Headers) => {
      this.streams.push(stream);
      onStream(stream, fields);
    });
    this.port = this.listener.listen("127.0.0.1", 0);
  }

  /** Connects a peer and sends its preface and settings. */
  async connect(
    opening: Uint8Array = join(PREFACE, settings()),
  ): Promise<Peer> {
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    tcp.setNoDelay(true);
    const peer = new Peer(tcp);
    this.#peers.push(peer);
    await peer.send(opening);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.close();
    await this.listener.close(0);
    await Promise.all(this.#peers.map((peer) => peer.ended));
  }
}

/** A client that sends and receives plain frames. */
export class Peer {
  readonly frames: ReceivedFrame[] = [];
  /** Whether the other side has closed. */
  hasEnded = false;
  readonly #tcp: Deno.TcpConn;
  readonly #hpack = new HpackDecoder(1_048_576);
  #reading: PromiseWithResolvers<void> | undefined;

  constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
    void this.#readAll();
  }

  /** Resolves when the other side has closed. */
  get ended(): Promise<void> {
    return until(() => this.hasEnded);
  }

  /** Sends frames in one write; ignores a closed connection. */
  async send(...frames: readonly Uint8Array[]): Promise<void> {
    const bytes = join(...frames);
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#tcp.write(bytes.subarray(at));
      }
    } catch {
      // The other side has closed.
    }
  }

  /** Opens a stream with the headers of a call. */
  call(stream: number, isEnd = true): Promise<void> {
    return this.send(headers(stream, callFields(), isEnd));
  }

  /** Waits for a frame; one received earlier counts, too. */
  async received(
    type: keyof typeof TYPE,
    stream = 0,
    count = 1,
  ): Promise<ReceivedFrame> {
    const found = () =>
      this.frames.filter((one) =>
        one.type === TYPE[type] && one.stream === stream
      )[count - 1];
    await until(() => found() !== undefined || this.hasEnded);
    const frame = found();
    if (frame === undefined) throw new Error(`No ${type} on ${stream} came`);
    return frame;
  }

  /** Waits until everything sent has been processed. */
  async settled(): Promise<void> {
    const isPong = ({ type, flags }: ReceivedFrame) =>
      type === TYPE.ping && flags === 1;
    const count = this.frames.filter(isPong).length;
    await this.send(frame(TYPE.ping, 0, 0, new Uint8Array(8)));
    await until(() =>
      this.hasEnded || this.frames.filter(isPong).length > count
    );
  }

  /** Decodes a frame's header block; must be called in the order received. */
  fields({ payload }: ReceivedFrame): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#hpack.decode(payload).fields);
  }

  /** The error code in a GOAWAY or a reset. */
  static code({ type, payload }: ReceivedFrame): keyof typeof CODE {
    const number = uint32(payload, type === TYPE.goAway ? 4 : 0);
    const names = Object.keys(CODE) as (keyof typeof CODE)[];
    const name = names.find((one) => CODE[one] === number);
    if (name === undefined) throw new Error(`There is no code ${number}`);
    return name;
  }

  /** Bytes of data received on a stream. */
  dataBytes(stream: number): number {
    return this.frames
      .filter((one) => one.type === TYPE.data && one.stream === stream)
      .reduce((sum, { length }) => sum + length, 0);
  }

  /** Stops reading until told to go on. */
  stopReading(): void {
    this.#reading ??= Promise.withResolvers();
  }

  goOnReading(): void {
    this.#reading?.resolve();
    this.#reading = undefined;
  }

  close(): void {
    this.goOnReading();
    try {
      this.#tcp.close();
    } catch {
      // Already closed.
    }
  }

  async #readAll(): Promise<void> {
    let rest: Uint8Array = new Uint8Array();
    const buffer = new Uint8Array(65_536);
    try {
      while (true) {
        await this.#reading?.promise;
        const count = await this.#tcp.read(buffer);
        if (count === null) break;
        const found = framesIn(join(rest, buffer.subarray(0, count)));
        this.frames.push(...found.frames);
        rest = found.rest;
      }
    } catch {
      // A reset also closes it.
    }
    this.hasEnded = true;
  }
}

/** A WINDOW_UPDATE frame. */
export function windowUpdate(stream: number, increment: number): Uint8Array {
  return frame(TYPE.windowUpdate, 0, stream, uint32s(increment));
}

/** Answers a call as a gRPC handler does, once the request is complete. */
export function answer(stream: Stream): void {
  stream.on("end", () => {
    stream.respond({ "content-type": "application/grpc" });
    stream.once(
      "wantTrailers",
      () => stream.sendTrailers({ "grpc-status": 0 }),
    );
    stream.write(new Uint8Array(10), () => {});
    stream.end();
  });
}
