/** The receiving half of a connection. */
import {
  FLAG,
  HEAD_BYTES,
  headAt,
  join,
  PAYLOAD_BYTES_MAX,
  PREFACE,
  TYPE,
} from "../../core/http2_wire.ts";
import { demand } from "./errors.ts";
import { type Frame, frameOf } from "./frames.ts";

/** Read buffers grow while there is more, so that silent peers cost little. */
const READ_BYTES_MIN = 2048;
const READ_BYTES_MAX = 32_768;

/** The longest header block, compressed, with all its continuations. */
const HEADER_BLOCK_BYTES_MAX = 32_768;

/** Frames of one header block; more are sent only to be a nuisance. */
const BLOCK_FRAMES_MAX = 16;

/** A header block of which the end has not come yet. */
interface Block {
  readonly first: Extract<Frame, { kind: "headers" }>;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Cuts what a peer sends into frames; header blocks come as one. */
export class Receiver {
  readonly #tcp: Pick<Deno.TcpConn, "read">;
  readonly #onHeld: (delta: number) => void;
  #buffer = new Uint8Array(READ_BYTES_MIN);
  #prefaceLeft = PREFACE;
  /** A frame of which the end has not come yet. */
  #rest = new Uint8Array();
  #block: Block | undefined;
  #isOpen = false;
  #heldBytes = 0;

  /** @param onHeld Is told how the bytes that are held here change. */
  constructor(
    tcp: Pick<Deno.TcpConn, "read">,
    onHeld: (delta: number) => void,
  ) {
    this.#tcp = tcp;
    this.#onHeld = onHeld;
  }

  /** Whether the peer has said that it speaks HTTP/2. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Reads once, whatever there is.
   *
   * @returns The frames that are whole now, which throw an `Http2Error` where
   * they break the protocol and must be used before the next read; nothing
   * when the peer has ended or is not there any more.
   */
  async read(): Promise<Iterable<Frame> | undefined> {
    this.#count();
    let count: number | null;
    try {
      count = await this.#tcp.read(this.#buffer);
    } catch {
      return undefined;
    }
    if (count === null) return undefined;
    const received = this.#buffer.subarray(0, count);
    const isFull = count === this.#buffer.length;
    const nextBytes = isFull
      ? Math.min(count * 2, READ_BYTES_MAX)
      : READ_BYTES_MIN;
    if (nextBytes !== this.#buffer.length) {
      this.#buffer = new Uint8Array(nextBytes);
    }
    return this.#cut(received);
  }

  *#cut(received: Uint8Array): Generator<Frame> {
    const bytes = this.#withoutPreface(join(this.#rest, received));
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const head = headAt(bytes, at);
      const isShort = head.length <= PAYLOAD_BYTES_MAX;
      demand(isShort, "frameSizeError", "a frame is too long");
      const end = at + HEAD_BYTES + head.length;
      if (end > bytes.length) break;
      if (!this.#isOpen) {
        const isOpening = head.type === TYPE.settings &&
          (head.flags & FLAG.ack) === 0;
        demand(isOpening, "protocolError", "settings do not come first");
        this.#isOpen = true;
      }
      const payload = bytes.subarray(at + HEAD_BYTES, end);
      const isInBlock = head.type === TYPE.continuation;
      demand(
        isInBlock === (this.#block !== undefined),
        "protocolError",
        isInBlock ? "a continuation of nothing" : "a header block is not ended",
      );
      const found = this.#whole(frameOf(head, payload));
      at = end;
      if (found !== undefined) yield found;
    }
    this.#rest = bytes.slice(at);
  }

  #withoutPreface(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.#prefaceLeft.length);
    const isRight = part.every((byte, at) => byte === this.#prefaceLeft[at]);
    demand(isRight, "protocolError", "this is not HTTP/2");
    this.#prefaceLeft = this.#prefaceLeft.subarray(part.length);
    return bytes.subarray(part.length);
  }

  /** Keeps the parts of a header block until the last one comes. */
  #whole(frame: Frame | undefined): Frame | undefined {
    if (frame?.kind === "headers" && !frame.isWhole) {
      const { block } = frame;
      const first = { ...frame, block: block.slice() };
      this.#block = { first, parts: [first.block], bytes: block.length };
      return undefined;
    }
    if (frame?.kind !== "continuation" || this.#block === undefined) {
      return frame;
    }
    const { first, parts } = this.#block;
    const isSame = first.stream === frame.stream;
    demand(isSame, "protocolError", "a header block is not ended");
    parts.push(frame.part.slice());
    this.#block.bytes += frame.part.length;
    demand(
      this.#block.bytes <= HEADER_BLOCK_BYTES_MAX &&
        parts.length <= BLOCK_FRAMES_MAX,
      "enhanceYourCalm",
      "a header block is too long",
    );
    if (!frame.isLast) return undefined;
    this.#block = undefined;
    return { ...first, block: join(...parts), isWhole: true };
  }

  #count(): void {
    const { length } = this.#buffer;
    const bytes = length + this.#rest.length + (this.#block?.bytes ?? 0);
    const delta = bytes - this.#heldBytes;
    this.#heldBytes = bytes;
    if (delta !== 0) this.#onHeld(delta);
  }
}
