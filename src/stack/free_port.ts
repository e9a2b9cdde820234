/** Free ports for stacks. */
import { Failure, messageOf } from "../core/errors.ts";

/** Every machine has it. */
const FIRST_ADDRESS = "127.0.0.1";

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
 * Checks that a port is free before anything is started, so that the message
 * names its flag.
 *
 * @param hostname An address of this machine.
 * @param flag That chooses the port.
 * @param hint More about what may use it, in brackets (default none).
 * @throws {Failure} `environment` when nothing can listen there.
 */
export function requireFree(
  hostname: string,
  port: number,
  flag: string,
  hint = "",
): void {
  try {
    Deno.listen({ hostname, port }).close();
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    if (!isTaken && hostname !== FIRST_ADDRESS) {
      throw new Failure(
        "environment",
        `This machine has no address ${hostname}, which the second server ` +
          "needs; use --discovery eds, which needs 127.0.0.1 alone, or " +
          "Compose: docker compose up --build --scale grpc-server=3",
        { cause: error },
      );
    }
    throw new Failure(
      "environment",
      `Cannot listen on ${hostname}:${port}: ${
        isTaken ? "the port is taken" : messageOf(error)
      }; stop what uses it${hint} or choose another with ${flag}`,
      { cause: error },
    );
  }
}

/**
 * Checks the ports on which callers reach a stack.
 *
 * @param hint More about what may use them, in brackets (default none).
 * @throws {Failure} `environment`, naming the flag of the first taken one.
 */
export function requireOutsideFree(
  { grpcPort, l4Port, adminPort }: {
    readonly grpcPort?: number;
    readonly l4Port: number;
    readonly adminPort: number;
  },
  hint = "",
): void {
  const check = (port: number, flag: string) =>
    requireFree(FIRST_ADDRESS, port, flag, hint);
  if (grpcPort !== undefined) check(grpcPort, "--port");
  check(l4Port, "--port (the L4 listener is one above)");
  check(adminPort, "--admin-port");
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
