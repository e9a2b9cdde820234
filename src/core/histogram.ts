/** Durations counted in buckets, so that a client may run for days. */

/** Each bucket is 1 % wider than the one below it. */
const GROWTH = 1.01;

/** Durations below this, in milliseconds, share the first bucket. */
const SMALLEST_MS = 0.001;

/** Counts durations; percentiles are exact to within 1 %. */
export class Histogram {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #maxMs = 0;

  /** The number of durations. */
  get count(): number {
    return this.#count;
  }

  /** The longest duration, in milliseconds; 0 if there is none. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Adds a duration in milliseconds. */
  add(durationMs: number): void {
    const scaled = Math.max(durationMs, SMALLEST_MS) / SMALLEST_MS;
    const bucket = Math.floor(Math.log(scaled) / Math.log(GROWTH));
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, durationMs);
  }

  /** Adds all durations of another one. */
  addAll(other: Histogram): void {
    for (const [bucket, count] of other.#buckets) {
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    }
    this.#count += other.#count;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /**
   * The duration in milliseconds that `percent` of all durations do not
   * exceed, by nearest rank; undefined if there is none.
   *
   * @param percent Above 0 and at most 100.
   */
  percentileMs(percent: number): number | undefined {
    if (this.#count === 0) return undefined;
    let left = Math.ceil(this.#count * percent / 100);
    for (const bucket of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      left -= this.#buckets.get(bucket) ?? 0;
      if (left <= 0) {
        const upperMs = SMALLEST_MS * GROWTH ** (bucket + 1);
        return Math.min(upperMs, this.#maxMs);
      }
    }
    return this.#maxMs;
  }
}
