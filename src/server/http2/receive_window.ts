/** The flow-control window that a peer sends into. */
export class ReceiveWindow {
  readonly #maxBytes: number;
  readonly #renew: (increment: number) => void;
  #leftBytes: number;
  #usedBytes = 0;

  /**
   * @param maxBytes What may be in flight at once.
   * @param renew Sends a WINDOW_UPDATE.
   */
  constructor(maxBytes: number, renew: (increment: number) => void) {
    this.#maxBytes = maxBytes;
    this.#renew = renew;
    this.#leftBytes = maxBytes;
  }

  /** Counts received bytes. @returns Whether the window allowed them. */
  take(bytes: number): boolean {
    this.#leftBytes -= bytes;
    return this.#leftBytes >= 0;
  }

  /** Counts consumed bytes; the window is renewed half at a time. */
  use(bytes: number): void {
    this.#usedBytes += bytes;
    if (this.#usedBytes < this.#maxBytes / 2) return;
    this.#renew(this.#usedBytes);
    this.#leftBytes += this.#usedBytes;
    this.#usedBytes = 0;
  }
}
