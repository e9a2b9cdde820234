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

/** Read buffers grow while data comes, so that idle peers cost little. */
const READ_BYTES_MIN = 2048;
const READ_BYTES_MAX = 32_768;

/** The longest header block, compressed, with all CONTINUATION frames. */
const HEADER_BLOCK_BYTES_MAX = 32_768;

/** Most frames of one header block; only an attacker sends more. */
const BLOCK_FRAMES_MAX = 16;

/** A header block that is still incomplete. */
interface Block {
  readonly first: Extract<Frame, { kind: "headers" }>;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Splits what a peer sends into frames, with header blocks reassembled. */
export class Receiver {
  readonly #tcp: Pick<Deno.TcpConn, "read">;
  readonly #onHeld: (delta: number) => void;
  #buffer = new Uint8Array(READ_BYTES_MIN);
  #prefaceLeft = PREFACE;
  /** A frame that is still incomplete. */
  #rest = new Uint8Array();
  #block: Block | undefined;
  #isOpen = false;
  #heldBytes = 0;

  /** @param onHeld Receives each change of the bytes held here. */
  constructor(
    tcp: Pick<Deno.TcpConn, "read">,
    onHeld: (delta: number) => void,
  ) {
    this.#tcp = tcp;
    this.#onHeld = onHeld;
  }

  /** Whether the peer has sent its preface. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Reads once, whatever is available.
   *
   * @returns The complete frames, to be consumed before the next read;
   * iterating throws an `Http2Error` where one breaks the protocol. Undefined
   * when the peer has closed or is gone.
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
      demand(isShort, "frameSizeError", "a frame above the size limit");
      const end = at + HEAD_BYTES + head.length;
      if (end > bytes.length) break;
      if (!this.#isOpen) {
        const isOpening = head.type === TYPE.settings &&
          (head.flags & FLAG.ack) === 0;
        demand(isOpening, "protocolError", "no SETTINGS frame first");
        this.#isOpen = true;
      }
      const payload = bytes.subarray(at + HEAD_BYTES, end);
      const isInBlock = head.type === TYPE.continuation;
      demand(
        isInBlock === (this.#block !== undefined),
        "protocolError",
        isInBlock ? "a stray CONTINUATION" : "an unfinished header block",
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
    demand(isRight, "protocolError", "not HTTP/2");
    this.#prefaceLeft = this.#prefaceLeft.subarray(part.length);
    return bytes.subarray(part.length);
  }

  /** Collects a header block until its last fragment comes. */
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
    demand(isSame, "protocolError", "an unfinished header block");
    parts.push(frame.part.slice());
    this.#block.bytes += frame.part.length;
    demand(
      this.#block.bytes <= HEADER_BLOCK_BYTES_MAX &&
        parts.length <= BLOCK_FRAMES_MAX,
      "enhanceYourCalm",
      "a header block above the size limit",
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
