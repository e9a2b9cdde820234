/** Waiting for a condition, with a limit. */

/** How often a condition is looked at. */
const POLL_MS = 25;

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
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}
