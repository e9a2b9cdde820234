/** What events work with. */
import type { Random } from "../core/random.ts";
import type { Stack } from "../stack/stack.ts";

/** A run, as its events see it. */
export interface RunContext {
  /**
   * The stack. It records what is done to it for the ledgers, so never touch
   * its processes directly.
   */
  readonly stack: Stack;
  /** Aborted when the run is interrupted: stop then. */
  readonly signal: AbortSignal;
  /** Random numbers, repeatable by the run's seed. */
  readonly random: Random;
  /** Milliseconds since the start of the load. */
  elapsedMs(): number;
  /** Records a number for the judges; see `measured()` in judge.ts. */
  measure(name: string, value: number): void;
  /** Marks a moment in the charts. */
  mark(label: string): void;
  /**
   * Reports calls that this event made through Envoy's balanced listener, which
   * Envoy counts in `downstream_rq_total`.
   *
   * @param unsure How many of them Envoy may not have received, for example
   * because it closed the connection (default 0).
   */
  addCalls(count: number, unsure?: number): void;
  /**
   * Reports calls that this event made to a server directly, or through the L4
   * listener.
   *
   * @param count Upper bound of the Greeter calls that reached servers.
   */
  addDirectCalls(count: number): void;
  /** Waits; ends early when the run is interrupted. */
  wait(ms: number): Promise<void>;
  /**
   * Waits until Envoy knows exactly `count` servers, all healthy.
   * @returns How long it took, in milliseconds.
   * @throws {Failure} `failed` after `limitMs` (default 20000).
   */
  awaitHealthy(count: number, limitMs?: number): Promise<number>;
}
