/**
 * A stack: servers behind Envoy, as a value. There is a native one, a Compose
 * one and one on Kubernetes; everything above is written once, for all.
 */
import type { ExitStatus } from "../io/child.ts";
import type { Fault } from "../core/fault.ts";
import type { ServerCounters } from "../io/proto.ts";
import { readTlsFolder, type TlsSource } from "../io/tls.ts";
import type { Certificates } from "./certificates.ts";
import type { AdminInterface } from "./envoy_admin.ts";
import type { Outage } from "./discovery.ts";
import type { EnvoyConfig } from "./envoy_config.ts";

/** One server of a stack. */
export interface StackServer {
  /** Its name, as in its replies; `Stack.nameOf()` if they have another. */
  readonly name: string;
  /** Where Envoy reaches it, as in Envoy's /clusters. */
  readonly address: string;
  /** Whether its process runs. */
  readonly isRunning: boolean;
}

/** Receives a line that a program of the stack printed. */
export type LineSink = (program: string, line: string) => void;

/** Something done to a server through its stack, or to Envoy (""). */
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

/** Callbacks of a stack. */
export interface StackListeners {
  /** Called with each line that a program prints. */
  readonly onLine?: LineSink;
  /** Called when an action begins; scaling down is one action per server. */
  readonly onAction?: (action: StackAction) => void;
  /** Called when a server or Envoy ends without being stopped. */
  readonly onCrash?: (program: string, status: ExitStatus) => void;
}

/** Servers behind Envoy. */
export interface Stack {
  /** Where callers find the balanced listener, "host:port". */
  readonly endpoint: string;
  /** Where callers find the L4 listener, "host:port". */
  readonly l4Endpoint: string;
  /** Of its Envoy, or of all its Envoys together. */
  readonly admin: AdminInterface;
  /** Those of callers and Envoy; undefined where both speak plain text. */
  readonly certificates?: Certificates | undefined;
  /** The servers known to discovery, in the order of their start. */
  servers(): readonly StackServer[];
  /** The server that calls itself so in its replies (default: by its name). */
  nameOf?(reply: string): string;
  /** Starts or stops servers until there are `count`; stops the newest. */
  scale(count: number): Promise<void>;
  /** Ends a server's process; its address stays in discovery. */
  stop(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<ExitStatus>;
  /** Restarts a stopped server under its old name and address. */
  start(name: string): Promise<void>;
  /** Suspends a server's process (SIGSTOP). */
  pause(name: string): Promise<void>;
  /** Resumes a paused server. */
  resume(name: string): Promise<void>;
  /**
   * Injects a fault into a running server, in place of a fault of the same
   * kind.
   * @throws {Failure} `failed` when it is refused: the stack must have been
   * started with faults allowed.
   */
  fault(name: string, fault: Fault): Promise<void>;
  /** Removes a running server's faults at once. */
  clearFaults(name: string): Promise<void>;
  /**
   * Makes discovery fail, or work again.
   * @throws {RangeError} When this stack's cannot fail in this way.
   */
  setOutage(outage: Outage | undefined): Promise<void>;
  /** Stops Envoy at once; to drain it first, use its admin interface. */
  stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Restarts Envoy; resolves when it is live. */
  startEnvoy(): Promise<void>;
  /**
   * Replaces Envoy with one that has another configuration, as gracefully as
   * the stack can: on the native one no call is lost.
   *
   * @param config The configuration before the stack's own changes.
   * @throws {Failure} `environment` when the new one does not become live.
   */
  replaceEnvoy(config: EnvoyConfig): Promise<void>;
  /** Reads what a running server has counted since its start. */
  counters(name: string): Promise<ServerCounters>;
  /**
   * The resident memory of "envoy" and of each running server, in MiB, by name:
   * what a container's limit applies to.
   */
  memoryMib(): Promise<ReadonlyMap<string, number>>;
  /** Stops everything in order and leaves nothing behind. */
  close(): Promise<void>;
}

/** Where a stack's callers get their TLS files; undefined for plain text. */
export function tlsOf({ certificates }: Stack): TlsSource | undefined {
  return certificates === undefined
    ? undefined
    : () => readTlsFolder(certificates.clientFolder);
}
