/** Free ports for stacks. */
import { Failure } from "../core/errors.ts";

/** Addresses that a scaled native stack may need: 127.0.0.1 to 127.0.0.8. */
const ADDRESSES = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * Below the ephemeral ports, any of which may be taken between check and use.
 */
const PORT_MIN = 12_000;
const PORT_MAX = 32_000;

/**
 * A port that is free on the loopback addresses. The seven above it are free on
 * 127.0.0.1, for the L4 listener and for servers that share an address.
 */
export function freePort(taken: Set<number>): number {
  const blocks = (PORT_MAX - PORT_MIN) / ADDRESSES.length;
  while (true) {
    const block = Math.floor(Math.random() * blocks);
    const port = PORT_MIN + block * ADDRESSES.length;
    if (!taken.has(port) && isFree(port)) {
      taken.add(port);
      return port;
    }
  }
}

/** Free ports for a stack, by the names of its options. */
export function freePorts(taken: Set<number> = new Set()): {
  readonly grpcPort: number;
  readonly l4Port: number;
  readonly adminPort: number;
  readonly serverPort: number;
} {
  const grpcPort = freePort(taken);
  return {
    grpcPort,
    l4Port: grpcPort + 1,
    adminPort: freePort(taken),
    serverPort: freePort(taken),
  };
}

/**
 * Checks that ports of 127.0.0.1 are free before containers are started, which
 * takes its time.
 *
 * @throws {Failure} `environment`, naming one that is taken.
 */
export function requireFree(ports: readonly number[]): void {
  for (const port of ports) {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (error) {
      throw new Failure(
        "environment",
        `Cannot listen on 127.0.0.1:${port}: the port is taken; stop what uses ` +
          "it (`deno task down` stops the demo's containers) or choose another " +
          "with --port or --admin-port",
        { cause: error },
      );
    }
  }
}

function isFree(port: number): boolean {
  try {
    for (const last of ADDRESSES) {
      Deno.listen({ hostname: `127.0.0.${last}`, port }).close();
      Deno.listen({ hostname: "127.0.0.1", port: port + last - 1 }).close();
    }
    return true;
  } catch {
    return false; // Taken: another port is tried.
  }
}
