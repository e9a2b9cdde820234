/** Counts the memory that an incomplete gRPC message takes. */

/** A message begins with one byte of flags and its length. */
const HEAD_BYTES = 5;

/** The incomplete message at the end of a stream of bytes. */
export class PartialMessage {
  readonly #head: number[] = [];
  /** Bytes still missing after the head. */
  #missingBytes = 0;
  #bytes = 0;

  /** Takes what came. @returns The bytes held of an incomplete message. */
  take(chunk: Uint8Array): number {
    this.#bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      if (this.#head.length < HEAD_BYTES) {
        this.#head.push(chunk[at] ?? 0);
        at += 1;
        if (this.#head.length < HEAD_BYTES) continue;
        const [, a = 0, b = 0, c = 0, d = 0] = this.#head;
        this.#missingBytes = a * 2 ** 24 + (b << 16 | c << 8 | d);
      }
      const taken = Math.min(this.#missingBytes, chunk.length - at);
      at += taken;
      this.#missingBytes -= taken;
      if (this.#missingBytes > 0) break;
      this.#head.length = 0;
      this.#bytes = chunk.length - at;
    }
    return this.#bytes;
  }
}
