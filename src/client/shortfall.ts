/** Reports when the client does not reach its rate, and why. */
import type { Cause } from "../io/open_loop.ts";

/** Below this fraction of the rate, the summary says so. */
const REACHED_MIN = 0.95;

/** At most one line per interval: an overload lasts. */
const LINE_INTERVAL_MS = 10_000;

/** Counts skipped calls. */
export class Shortfall {
  /** The calls skipped so far. */
  readonly skipped: Record<Cause, number> = { full: 0, heldUp: 0 };
  readonly #concurrency: number;
  readonly #now: () => number;
  #saidAtMs = -Infinity;

  /**
   * @param concurrency The limit of calls in flight, for the sentences.
   * @param now The clock, in milliseconds.
   */
  constructor(concurrency: number, now: () => number) {
    this.#concurrency = concurrency;
    this.#now = now;
  }

  /** Adds skipped calls. @returns The sentence to print, if one is due. */
  add(calls: number, cause: Cause): string | undefined {
    this.skipped[cause] += calls;
    if (this.#now() - this.#saidAtMs < LINE_INTERVAL_MS) return undefined;
    this.#saidAtMs = this.#now();
    const reason = reasonOf(cause, this.skipped[cause], this.#concurrency);
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
    readonly skipped: Readonly<Record<Cause, number>>;
    readonly ratePerS: number;
    readonly reachedPerS: number;
    readonly concurrency: number;
  },
): readonly string[] {
  const isShort = reachedPerS < REACHED_MIN * ratePerS;
  const reasons = (["full", "heldUp"] as const)
    .filter((cause) => skipped[cause] > 0)
    .map((cause) => reasonOf(cause, skipped[cause], concurrency));
  if (!isShort && reasons.length === 0) return [];
  return [`rate ${reachedPerS} of ${ratePerS} calls a second`, ...reasons];
}

function reasonOf(cause: Cause, count: number, concurrency: number): string {
  const calls = count === 1 ? "1 call" : `${count} calls`;
  return cause === "full"
    ? `${calls} skipped: ${concurrency} in flight is the limit; raise ` +
      "--concurrency or lower --rate"
    : `${calls} skipped: the client was paused or its machine is too busy`;
}
