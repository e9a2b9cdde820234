/** Creates the stacks of experiments. */
import { Failure } from "../core/errors.ts";
import { findTool } from "../io/tools.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import {
  type DiscoveryKind,
  NativeStack,
  type TlsOptions,
} from "../stack/native.ts";
import type { Stack, StackListeners } from "../stack/stack.ts";
import { freePorts } from "../stack/free_port.ts";
import type { Setup } from "./experiment.ts";

/** How often free ports are looked for, if others take them. */
const TRIES_MAX = 3;

/** What an experiment needs of a stack. */
export interface StackOptions extends Required<StackListeners> {
  readonly servers: number;
  /** envoy.yaml with the experiment's changes and its original addresses. */
  readonly config: EnvoyConfig;
  /** Its name in messages. */
  readonly configName: string;
  readonly concurrency: number;
  readonly discovery: DiscoveryKind;
  readonly tls: TlsOptions | undefined;
  readonly serverFlags: readonly string[];
  readonly serverProgram: string | undefined;
  /** For stacks on Kubernetes. */
  readonly kubernetes: NonNullable<Setup["kubernetes"]>;
  /** How many of the servers' addresses Envoy must know. */
  readonly addresses: number;
  /** How many of these must be healthy before the stack is ready. */
  readonly healthyAtStart: number;
  /** How long that may take (default 20 s). */
  readonly healthyLimitMs?: number;
  readonly signal: AbortSignal;
}

/** Starts a stack whose servers allow faults. */
export interface StackFactory {
  /** For the report, for example "native". */
  readonly name: string;
  /** What set-ups change (default envoy.yaml). */
  readonly base?: { readonly config: EnvoyConfig; readonly name: string };
  /**
   * How late timers may be, as their 99th percentile, before the machine counts
   * as busy (default 60 ms).
   */
  readonly timersLateMsMax?: number;
  start(options: StackOptions): Promise<Stack>;
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
    start: (options) =>
      onFreePorts((ports) =>
        NativeStack.start({
          ...options,
          ...ports,
          envoyPath: envoy.path,
          allowFaults: true,
        })
      ),
  };
}

/**
 * Starts something on free ports, and on others if these are taken meanwhile.
 *
 * @throws What `start` throws, unless it is that.
 */
export async function onFreePorts<T>(
  start: (ports: ReturnType<typeof freePorts>) => Promise<T>,
): Promise<T> {
  for (let tries = 1;; tries += 1) {
    try {
      return await start(freePorts());
    } catch (error) {
      if (tries === TRIES_MAX || !isTaken(error)) throw error;
    }
  }
}

/**
 * Whether another program took a port between the search for free ones and
 * their use: nobody asked for that port, so others will do.
 */
function isTaken(error: unknown): boolean {
  return error instanceof Failure && error.kind === "environment" &&
    /port is taken|Address already in use/.test(error.message);
}
