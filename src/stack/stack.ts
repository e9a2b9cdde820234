/**
 * A stack: servers behind Envoy, as a value. The native stack and the Compose
 * stack are two of them; everything above is written once, for both.
 */
import type { ExitStatus } from "../io/child.ts";
import type { Fault } from "../core/fault.ts";
import type { ServerCounters } from "../io/proto.ts";
import type { EnvoyAdmin } from "./envoy_admin.ts";
import type { EnvoyConfig } from "./envoy_config.ts";

/** One server of a stack. */
export interface StackServer {
  /** The name in its replies. */
  readonly name: string;
  /** Where Envoy reaches it, as Envoy's /clusters names it. */
  readonly address: string;
  /** Whether its process runs. */
  readonly isRunning: boolean;
}

/** Receives a line that a program of the stack has printed. */
export type LineSink = (program: string, line: string) => void;

/** Something that is done to a server through its stack, or to Envoy (""). */
export interface StackAction {
  readonly server: string;
  readonly kind:
    | "SIGTERM"
    | "SIGKILL"
    | "start"
    | "pause"
    | "resume"
    | "fault"
    | "clear"
    | "scale"
    | "envoy";
  readonly fault?: Fault;
}

/** What is told to whoever has started a stack. */
export interface StackListeners {
  /** Is given each line that a program prints. */
  readonly onLine?: LineSink;
  /** Told of each action as it begins; a scaling down is one for each server. */
  readonly onAction?: (action: StackAction) => void;
  /** Told when a server or Envoy ends without having been asked to. */
  readonly onCrash?: (program: string, status: ExitStatus) => void;
}

/** Servers behind Envoy. */
export interface Stack {
  /** Where callers find the balanced listener, "host:port". */
  readonly endpoint: string;
  /** Where callers find the L4 listener, "host:port". */
  readonly l4Endpoint: string;
  readonly admin: EnvoyAdmin;
  /** The servers that discovery names, in the order of their start. */
  servers(): readonly StackServer[];
  /** Starts or stops servers until there are `count`; stops the newest. */
  scale(count: number): Promise<void>;
  /** Ends a server's process, which stays in discovery. */
  stop(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<ExitStatus>;
  /** Starts a server that was stopped, under its old name and address. */
  start(name: string): Promise<void>;
  /** Stops a server's process from running, without ending it. */
  pause(name: string): Promise<void>;
  /** Lets a paused server run again. */
  resume(name: string): Promise<void>;
  /**
   * Injects a fault into a running server, in place of a fault of the same kind.
   * @throws {Failure} `failed` when it is refused: servers allow faults only
   * when the stack was started with them.
   */
  fault(name: string, fault: Fault): Promise<void>;
  /** Heals a running server at once. */
  clearFaults(name: string): Promise<void>;
  /** Ends Envoy at once: draining is asked of its admin interface before. */
  stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts Envoy again; resolves when it is live. */
  startEnvoy(): Promise<void>;
  /**
   * Replaces Envoy by one with another configuration, as gracefully as the
   * stack can: on the native one no call is lost.
   *
   * @param config Before the stack's own changes to it, as at its start.
   * @throws {Failure} `environment` when the new one does not become live.
   */
  replaceEnvoy(config: EnvoyConfig): Promise<void>;
  /** What a running server has counted since its start. */
  counters(name: string): Promise<ServerCounters>;
  /**
   * The resident memory of "envoy" and of each server that runs, in MiB, by
   * name: what a container's limit is compared with.
   */
  memoryMib(): Promise<ReadonlyMap<string, number>>;
  /** Stops everything in order and leaves nothing behind. */
  close(): Promise<void>;
}
