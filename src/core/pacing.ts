/** When calls are due. Decisions are arithmetic; the clock is passed in. */

/**
 * Milliseconds to wait before call `index` (from 0) of an even pace.
 *
 * The pace is an open loop: a call is due by the plan, not by when the one
 * before it ended, so a slow server does not lower the load on it.
 *
 * @param elapsedMs Since the first call was due.
 * @param ratePerS Calls per second.
 * @returns 0 when the call is due or late.
 */
export function waitMs(
  index: number,
  elapsedMs: number,
  ratePerS: number,
): number {
  return Math.max(0, index * 1000 / ratePerS - elapsedMs);
}

/** Calls that are later than this are not made up for. */
const CATCH_UP_MS = 1000;

/**
 * How many calls, from call `index` (from 0) on, are so late that they are
 * better left out: who was away for a minute must not make a minute's calls at
 * once. A second's calls, and one more, may be made up for.
 *
 * @param elapsedMs Since the first call was due.
 * @param ratePerS Calls per second.
 */
export function missedCalls(
  index: number,
  elapsedMs: number,
  ratePerS: number,
): number {
  const lateMs = elapsedMs - index * 1000 / ratePerS;
  return Math.max(0, Math.floor((lateMs - CATCH_UP_MS) * ratePerS / 1000));
}
