/** What a run records. Judges and reports only read it. */
import type { Disturbance } from "../io/disturbance.ts";
import type { ServerCounters } from "../io/proto.ts";
import type { StackAction } from "../stack/stack.ts";
import type { Load, Setup } from "./setup.ts";

/** Everything recorded in one run. All times are in milliseconds. */
export interface History {
  readonly setup: Setup;
  readonly load: Required<Load>;
  readonly seed: number;
  /** When the load started, ISO 8601. */
  readonly startedAt: string;
  /** From the start of the load to the end of the last call and event. */
  readonly durationMs: number;
  /** In the order of their start. */
  readonly calls: readonly CallRecord[];
  readonly events: readonly EventRecord[];
  /** One about every 250 ms. */
  readonly samples: readonly Sample[];
  readonly before: Snapshot;
  /** @throws {Unmeasured} If Envoy no longer answered. */
  readonly after: Snapshot;
  /** What events measured, in order. */
  readonly measures: readonly Measure[];
  /** What was done to the stack. */
  readonly actions: readonly Action[];
  /** Upper bound of the calls that events made through Envoy. */
  readonly extraCalls: number;
  /** How many of these Envoy may not have received. */
  readonly unsureCalls: number;
  /** Upper bound of the calls that bypassed Envoy's balanced listener. */
  readonly directCalls: number;
  /** Programs that ended unexpectedly, and how. */
  readonly crashes: readonly string[];
  /** How much other work the machine had. */
  readonly disturbance: Disturbance;
  /** Output lines of the stack's programs, without Envoy's access log. */
  readonly lines: readonly string[];
  /** Whether the run was interrupted; the record then ends there. */
  readonly isInterrupted: boolean;
}

/** Thrown when a judge reads something that could not be measured. */
export class Unmeasured extends Error {
  override readonly name = "Unmeasured";
}

/** One call of the recorder. */
export interface CallRecord {
  /** When it was due, from the start of the load. */
  readonly startMs: number;
  /** How much later it was actually made. */
  readonly lateMs: number;
  /** From when it was made to its status. */
  readonly latencyMs: number;
  /** The status, for example "OK". */
  readonly status: string;
  /** The status's details; "" if it is OK. */
  readonly details: string;
  /** The server that answered; "" if unknown. */
  readonly server: string;
  /** Envoy's attempts; 0 if it did not say. */
  readonly attempts: number;
  /** Whether Envoy refused it because of overload. */
  readonly isOverloaded: boolean;
  /** Whether there was a reply; false if the client made up the status. */
  readonly isAnswered: boolean;
  /** Whether it failed as the experiment intends (default false). */
  readonly failedAsMeant?: boolean;
}

/** Something that happened. */
export interface EventRecord {
  readonly label: string;
  readonly startMs: number;
  /** When it was done; equal to `startMs` for a mark. */
  readonly endMs: number;
  /** Why it failed, or undefined. */
  readonly error?: string;
}

/** Envoy's view at one moment. */
export interface Sample {
  readonly atMs: number;
  /** Selected counters and gauges, without "cluster.grpc-server.". */
  readonly stats: Readonly<Record<string, number>>;
  readonly hosts: readonly HostSample[];
}

/** One server as Envoy saw it. */
export interface HostSample {
  readonly address: string;
  /** The server's name, or its address if the stack does not know it. */
  readonly server: string;
  readonly isHealthy: boolean;
  readonly isEjected: boolean;
  /** Calls that Envoy has sent to it. */
  readonly rqTotal: number;
  /** Calls in flight on it. */
  readonly rqActive: number;
}

/** What Envoy and the servers had counted before or after a run. */
export interface Snapshot {
  /** Envoy's counters about calls, by full name. */
  readonly stats: Readonly<Record<string, number>>;
  readonly hosts: readonly HostSample[];
  /** By server; one that did not answer is missing. */
  readonly counters: Readonly<Record<string, ServerCounters>>;
}

/** A number measured by an event. */
export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly atMs: number;
}

/** Something that was done to a server, or to Envoy. */
export interface Action extends StackAction {
  readonly atMs: number;
}
