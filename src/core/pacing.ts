/** When calls are due. Pure; the clock is passed in. */

/**
 * Milliseconds to wait before call `index` (from 0) at an even pace.
 *
 * The loop is open: a call is due by schedule, not when the previous one ended,
 * so a slow server does not lower its own load.
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

/** Calls later than this are skipped. */
const CATCH_UP_MS = 1000;

/**
 * How many calls, from call `index` (from 0) on, are too late to make: after a
 * pause of a minute, a minute's calls must not start at once. A second's calls,
 * plus one, are caught up on.
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
