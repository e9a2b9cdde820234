/** Reports when the client does not reach its rate, and why. */
import type { Cause } from "../io/open_loop.ts";

/** Skipped calls, by cause. */
export interface Skipped {
  readonly full: number;
  readonly heldUp: number;
}

/** Below this fraction of the rate, the summary says so. */
const REACHED_MIN = 0.95;

/** At most one line per interval: an overload lasts. */
const LINE_INTERVAL_MS = 10_000;

/** Counts skipped calls. */
export class Shortfall {
  readonly #concurrency: number;
  readonly #now: () => number;
  #full = 0;
  #heldUp = 0;
  #saidAtMs = -Infinity;

  /**
   * @param concurrency The limit of calls in flight, for the sentences.
   * @param now The clock, in milliseconds.
   */
  constructor(concurrency: number, now: () => number) {
    this.#concurrency = concurrency;
    this.#now = now;
  }

  /** The calls skipped so far. */
  get skipped(): Skipped {
    return { full: this.#full, heldUp: this.#heldUp };
  }

  /** Adds skipped calls. @returns The sentence to print, if one is due. */
  add(calls: number, cause: Cause): string | undefined {
    if (cause === "full") this.#full += calls;
    else this.#heldUp += calls;
    if (this.#now() - this.#saidAtMs < LINE_INTERVAL_MS) return undefined;
    this.#saidAtMs = this.#now();
    const [reason] = reasonsOf({
      full: cause === "full" ? this.#full : 0,
      heldUp: cause === "full" ? 0 : this.#heldUp,
    }, this.#concurrency);
    return `the rate is not reached: ${reason}`;
  }
}

/**
 * The lines of the summary.
 *
 * @param reachedPerS Calls started per second.
 */
export function shortfallLines(
  { skipped, ratePerS, reachedPerS, concurrency }: {
    readonly skipped: Skipped;
    readonly ratePerS: number;
    readonly reachedPerS: number;
    readonly concurrency: number;
  },
): readonly string[] {
  const isShort = reachedPerS < REACHED_MIN * ratePerS;
  const reasons = reasonsOf(skipped, concurrency);
  if (!isShort && reasons.length === 0) return [];
  return [
    `rate ${reachedPerS} of ${ratePerS} calls a second`,
    ...reasons,
  ];
}

function reasonsOf({ full, heldUp }: Skipped, concurrency: number): string[] {
  const reasons: string[] = [];
  if (full > 0) {
    reasons.push(
      `${
        callsOf(full)
      } skipped: ${concurrency} in flight is the limit; raise --concurrency or lower --rate`,
    );
  }
  if (heldUp > 0) {
    reasons.push(
      `${
        callsOf(heldUp)
      } skipped: the client was paused or its machine is too busy`,
    );
  }
  return reasons;
}

function callsOf(count: number): string {
  return count === 1 ? "1 call" : `${count} calls`;
}
