/** What is recorded in a run. Judges and reports only read it. */
import type { ServerCounters } from "../io/proto.ts";
import type { StackAction } from "../stack/stack.ts";
import type { Load, Setup } from "./experiment.ts";

/** Everything that was recorded in one run. All times are in milliseconds. */
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
  /** @throws {Unmeasured} When nobody answered any more. */
  readonly after: Snapshot;
  /** What events have measured, in the order of the measuring. */
  readonly measures: readonly Measure[];
  /** What was done to servers. */
  readonly actions: readonly Action[];
  /** Calls that events have made beside the recorder, through Envoy: most. */
  readonly extraCalls: number;
  /** Of these, calls that Envoy may not have received. */
  readonly unsureCalls: number;
  /** Calls that events have made past Envoy's balanced listener: at most. */
  readonly directCalls: number;
  /** Programs that ended by themselves, with how. */
  readonly crashes: readonly string[];
  /** How much else the machine had to do. */
  readonly disturbance: Disturbance;
  /** Lines that the stack's programs printed, without Envoy's access log. */
  readonly lines: readonly string[];
  /** Whether the run was interrupted; the rest is what was measured by then. */
  readonly isInterrupted: boolean;
}

/** Thrown where a judge looks at something that could not be measured. */
export class Unmeasured extends Error {
  override readonly name = "Unmeasured";
}

/** What a run measured of its own disturbance. */
export interface Disturbance {
  /** How late timers fired, 99 of 100 of them at most. */
  readonly timersLateMs: number;
  /** The part of all processor time that other programs took, 0 to 1. */
  readonly othersShare: number;
  /** The part that the host of this virtual machine took, 0 to 1. */
  readonly stolenShare: number;
}

/** One call of the recorder. */
export interface CallRecord {
  /** When it was due, after the start of the load. */
  readonly startMs: number;
  /** How much later it was really made. */
  readonly lateMs: number;
  /** From the moment it was made to its status. */
  readonly latencyMs: number;
  /** The status, for example "OK". */
  readonly status: string;
  /** The status's details; "" if it is OK. */
  readonly details: string;
  /** The server that answered; "" if none is known. */
  readonly server: string;
  /** How often Envoy tried; 0 if it did not say. */
  readonly attempts: number;
  /** Whether Envoy refused it as there was too much to do. */
  readonly isOverloaded: boolean;
  /** Whether anything came back; false if the caller's side made the status. */
  readonly isAnswered: boolean;
  /** Whether it failed, and the experiment means it to (default false). */
  readonly failedAsMeant?: boolean;
}

/** Something that happened. */
export interface EventRecord {
  readonly label: string;
  readonly startMs: number;
  /** When it was done; for a mark the same as `startMs`. */
  readonly endMs: number;
  /** Why it failed, or undefined. */
  readonly error?: string;
}

/** What Envoy knew at one moment. */
export interface Sample {
  readonly atMs: number;
  /** Chosen counters and gauges, without "cluster.grpc-server.". */
  readonly stats: Readonly<Record<string, number>>;
  readonly hosts: readonly HostSample[];
}

/** One server as Envoy knew it. */
export interface HostSample {
  readonly address: string;
  /** The server's name, or its address if the stack does not know it. */
  readonly server: string;
  readonly isHealthy: boolean;
  readonly isEjected: boolean;
  /** Calls that Envoy has sent to it. */
  readonly rqTotal: number;
  /** Calls that are on it now. */
  readonly rqActive: number;
}

/** What Envoy and the servers had counted before or after a run. */
export interface Snapshot {
  /** All of Envoy's counters that belong to calls, by their full names. */
  readonly stats: Readonly<Record<string, number>>;
  readonly hosts: readonly HostSample[];
  /** By server; one that did not answer is missing. */
  readonly counters: Readonly<Record<string, ServerCounters>>;
}

/** A number that an event has measured. */
export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly atMs: number;
}

/** Something that was done to a server, or to Envoy. */
export interface Action extends StackAction {
  readonly atMs: number;
}
