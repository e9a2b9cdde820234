/** Repeatable random numbers. */

/** Gives the next number, at least 0 and below 1. */
export type Random = () => number;

/**
 * A random number generator (mulberry32), good enough for choosing calls and
 * delays, not for secrets.
 *
 * @param seed The same seed gives the same numbers; its lower 32 bits count.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
