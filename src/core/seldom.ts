/** Logging what may happen a thousand times a second. */

/** At most one line in this time; a flood must not become a flood of lines. */
const INTERVAL_MS = 1000;

/**
 * Makes a log that hands on at most one line a second.
 *
 * @param log Is given the line, and how many it stands for if there were more.
 * @param now The clock, in milliseconds.
 */
export function seldom(
  log: (line: string) => void,
  now: () => number = Date.now,
): (line: string) => void {
  let loggedAtMs = -Infinity;
  let count = 0;
  return (line) => {
    count += 1;
    if (now() - loggedAtMs < INTERVAL_MS) return;
    log(count === 1 ? line : `${line} (${count} times)`);
    loggedAtMs = now();
    count = 0;
  };
}
