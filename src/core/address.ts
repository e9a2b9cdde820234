/** Addresses as people write them. */

/**
 * "host:port", with an IPv6 address in brackets, as in a target.
 *
 * @param host A name or an address; IPv6 with or without brackets.
 */
export function hostPort(host: string, port: number): string {
  const isBare = host.includes(":") && !host.startsWith("[");
  return `${isBare ? `[${host}]` : host}:${port}`;
}
