/** Addresses as people write them. */

/**
 * "host:port", with an IPv6 address in brackets, as a target is typed.
 *
 * @param host A name or an address, an IPv6 one with or without brackets.
 */
export function hostPort(host: string, port: number): string {
  const isBare = host.includes(":") && !host.startsWith("[");
  return `${isBare ? `[${host}]` : host}:${port}`;
}
