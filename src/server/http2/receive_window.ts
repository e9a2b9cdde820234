/** What a peer may still send, on a connection or on a stream. */
export class ReceiveWindow {
  readonly #maxBytes: number;
  readonly #renew: (increment: number) => void;
  #leftBytes: number;
  #usedBytes = 0;

  /**
   * @param maxBytes What may be under way at once.
   * @param renew Tells the peer that it may send so much more.
   */
  constructor(maxBytes: number, renew: (increment: number) => void) {
    this.#maxBytes = maxBytes;
    this.#renew = renew;
    this.#leftBytes = maxBytes;
  }

  /** Takes bytes that came. @returns Whether they were allowed. */
  take(bytes: number): boolean {
    this.#leftBytes -= bytes;
    return this.#leftBytes >= 0;
  }

  /** Bytes are of use no longer; half of the window is renewed at a time. */
  use(bytes: number): void {
    this.#usedBytes += bytes;
    if (this.#usedBytes < this.#maxBytes / 2) return;
    this.#renew(this.#usedBytes);
    this.#leftBytes += this.#usedBytes;
    this.#usedBytes = 0;
  }
}
