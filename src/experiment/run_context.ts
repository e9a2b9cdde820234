/** What an event is given. */
import type { Random } from "../core/random.ts";
import type { Stack } from "../stack/stack.ts";

/** The run, as its events see it. */
export interface RunContext {
  /**
   * The stack. What is done with it is recorded for the ledgers, so use this
   * and not processes behind its back.
   */
  readonly stack: Stack;
  /** Aborted when the run is interrupted; give up then. */
  readonly signal: AbortSignal;
  /** Random numbers that the run's seed repeats. */
  readonly random: Random;
  /** Milliseconds since the start of the load. */
  elapsedMs(): number;
  /** Records a number for the judges, see `measured()` in judge.ts. */
  measure(name: string, value: number): void;
  /** Marks a moment in the charts. */
  mark(label: string): void;
  /**
   * Says how many calls this event has made through Envoy's balanced listener
   * beside the recorder's: those that Envoy counts as `downstream_rq_total`.
   *
   * @param unsure How many of them Envoy may not have received, for example
   * as it has closed the connection (default 0).
   */
  addCalls(count: number, unsure?: number): void;
  /**
   * Says how many calls this event has made past Envoy's balanced listener: to a server itself, or to the L4 listener.
   *
   * @param count At most so many calls of the Greeter have reached servers.
   */
  addDirectCalls(count: number): void;
  /** Waits; ends early when the run is interrupted. */
  wait(ms: number): Promise<void>;
  /**
   * Waits until Envoy finds exactly `count` servers and all are healthy.
   * @returns The milliseconds that it took.
   * @throws {Failure} `failed` after `limitMs` (default 20000).
   */
  awaitHealthy(count: number, limitMs?: number): Promise<number>;
}
