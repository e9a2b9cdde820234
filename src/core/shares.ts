/** How calls were spread over servers. */

/** One server's share of the calls. */
export interface Share {
  readonly server: string;
  readonly calls: number;
  /** Of all calls; from 0 to 1. */
  readonly share: number;
}

/** The shares of all servers that answered, by name. */
export function shares(calls: ReadonlyMap<string, number>): readonly Share[] {
  const total = [...calls.values()].reduce((sum, count) => sum + count, 0);
  return [...calls]
    .map(([server, count]) => ({
      server,
      calls: count,
      share: total === 0 ? 0 : count / total,
    }))
    .sort((a, b) => a.server.localeCompare(b.server, "en", { numeric: true }));
}

/**
 * The largest relative deviation of a server's calls from an even spread over
 * `servers` servers: 0 is perfect, 1 means that a server got nothing (or twice
 * its share).
 *
 * @param servers The number of servers there should be; one that never answered
 * counts as having no calls.
 */
export function deviation(
  calls: ReadonlyMap<string, number>,
  servers: number,
): number {
  const counts = [...calls.values()];
  while (counts.length < servers) counts.push(0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const even = total / servers;
  return Math.max(...counts.map((count) => Math.abs(count - even) / even));
}
