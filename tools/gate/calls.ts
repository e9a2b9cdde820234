/** The requests to the gate's driver and its reports, as JSON lines. */

/** The work of one driver process. */
export type Work =
  /**
   * Calls on one connection, until there are `calls` or SIGTERM comes: at an
   * even pace, however slow the answers are, or, without `ratePerS`,
   * `concurrency` at a time.
   */
  | {
    readonly kind: "load";
    readonly calls: number;
    readonly ratePerS?: number;
    readonly concurrency?: number;
  }
  /**
   * A call on each of new connections, then idle until the server has closed
   * them all or `limitMs` has passed, then `callsAfter` calls on each.
   */
  | {
    readonly kind: "connections";
    readonly connections: number;
    readonly callsAfter: number;
    readonly limitMs: number;
  };

/** A failed call; times are milliseconds since 1970. */
export interface FailedCall {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** The status's name, for example "UNAVAILABLE". */
  readonly code: string;
  readonly details: string;
}

/** What a driver saw; it counts as it goes. */
export interface Report {
  calls: number;
  readonly failures: FailedCall[];
  /** When calls succeeded, in milliseconds since 1970, ascending. */
  readonly successesAtMs: number[];
  /** How often a connection was lost or closed by the other side. */
  disconnects: number;
}
