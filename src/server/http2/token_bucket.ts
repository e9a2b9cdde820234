/** A rate limit with bursts. */
export class TokenBucket {
  readonly #max: number;
  readonly #perS: number;
  #tokens: number;
  #atMs = 0;

  /**
   * @param max The largest burst.
   * @param perS Tokens added per second.
   */
  constructor(max: number, perS: number) {
    this.#max = max;
    this.#perS = perS;
    this.#tokens = max;
  }

  /** Takes one. @returns Whether there was one. */
  take(nowMs: number): boolean {
    const renewed = (nowMs - this.#atMs) * this.#perS / 1000;
    this.#tokens = Math.min(this.#max, this.#tokens + renewed);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
