/** Where experiments get their stacks from. */
import { findTool } from "../../io/tools.ts";
import type { EnvoyConfig } from "../envoy_config.ts";
import { NativeStack } from "../native.ts";
import type { ExitStatus, LineSink, Stack } from "../stack.ts";

/** What an experiment asks of a stack. */
export interface StackOptions {
  readonly servers: number;
  /** envoy.yaml with the experiment's changes; addresses are still its own. */
  readonly config: EnvoyConfig;
  readonly concurrency: number;
  readonly serverFlags: readonly string[];
  /** How many servers must be healthy before it is handed over. */
  readonly healthyAtStart: number;
  readonly signal: AbortSignal;
  readonly onLine: LineSink;
  readonly onCrash: (program: string, status: ExitStatus) => void;
}

/** Starts a stack whose servers allow faults. */
export interface StackFactory {
  /** For the report, for example "native". */
  readonly name: string;
  start(options: StackOptions): Promise<Stack>;
}

/** Addresses that a scaled native stack may need: 127.0.0.1 to 127.0.0.8. */
const ADDRESSES = [1, 2, 3, 4, 5, 6, 7, 8];

/** A port that is free on the loopback addresses, as is the one above it. */
function freePort(taken: Set<number>): number {
  while (true) {
    const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = first.addr as Deno.NetAddr;
    first.close();
    if (!taken.has(port) && !taken.has(port + 1) && isFree(port)) {
      taken.add(port).add(port + 1);
      return port;
    }
  }
}

function isFree(port: number): boolean {
  try {
    for (const last of ADDRESSES) {
      Deno.listen({ hostname: `127.0.0.${last}`, port }).close();
    }
    Deno.listen({ hostname: "127.0.0.1", port: port + 1 }).close();
    return true;
  } catch {
    return false; // Somebody else has it: another port is tried.
  }
}

/**
 * Native stacks on free ports.
 *
 * @throws {Failure} `environment` when there is no Envoy.
 */
export async function nativeStacks(
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<StackFactory> {
  const envoy = await findTool("envoy", { onProgress, signal });
  return {
    name: "native",
    start: (options) => {
      const taken = new Set<number>();
      const grpcPort = freePort(taken);
      return NativeStack.start({
        ...options,
        grpcPort,
        l4Port: grpcPort + 1,
        adminPort: freePort(taken),
        serverPort: freePort(taken),
        envoyPath: envoy.path,
        allowFaults: true,
      });
    },
  };
}
