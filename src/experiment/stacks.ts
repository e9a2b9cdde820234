/** Creates the stacks of experiments. */
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
      NativeStack.start({
        ...options,
        ...freePorts(),
        envoyPath: envoy.path,
        allowFaults: true,
      }),
  };
}
