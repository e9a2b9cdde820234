/** Rate-limits the logging of what may happen a thousand times a second. */

/** At most one line per interval. */
const INTERVAL_MS = 1000;

/**
 * Makes a log that passes on at most one line a second.
 *
 * @param log Receives the line, with how many it stands for if several.
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
