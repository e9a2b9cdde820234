/** Waits for a time, or for a condition with a time limit. */
import { setTimeout as timer } from "node:timers/promises";

/** How often a condition is polled. */
const POLL_MS = 25;

/** Waits; ends early when the signal is aborted, which is no error. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  try {
    await timer(ms, undefined, signal && { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/**
 * Waits until `condition` holds.
 *
 * @param limitMs How long at most.
 * @returns Whether it held in time; false also when the signal is aborted.
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const limitAtMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (signal?.aborted || performance.now() >= limitAtMs) return false;
    await pause(POLL_MS, signal);
  }
  return true;
}
