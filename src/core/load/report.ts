/**
 * A load test's report as a value: k6's scripts make it; the terminal, the page
 * and comparisons read it. Its fields are those of the record's JSON.
 */

/** The latencies of some calls, in milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A phase of the run. */
export interface PhaseReport {
  readonly name: string;
  readonly isMeasured: boolean;
  readonly askedRatePerS: number;
  readonly seconds: number;
  /** Its own bound, if it has one. */
  readonly p99Ms: number | null;
  readonly errors: number;
  /** Null when no call ended in it. */
  readonly latencyMs: Latencies | null;
}

/** A server's share of the calls. */
export interface ServerReport {
  /** Null when there are fewer servers than there should be. */
  readonly name: string | null;
  readonly calls: number;
  readonly share: number;
  /** The relative deviation from the even share. */
  readonly deviation: number;
}

/** A condition that had to hold. */
export interface ThresholdReport {
  readonly metric: string;
  readonly condition: string;
  /** Missing when the metric has no value. */
  readonly value?: number;
  readonly ok: boolean;
}

/** What only a run on an L4 listener has. */
export interface PinReport {
  /** Open connections: one per VU. */
  readonly connections: number;
  /** Calls on one connection through an L7 listener, made for comparison. */
  readonly l7: {
    readonly target: string;
    readonly calls: Readonly<Record<string, number>>;
  };
}

/** The report of a run. */
export interface LoadReport {
  readonly question: string;
  readonly script: string;
  readonly target: string;
  /** False when the run was interrupted. */
  readonly isComplete: boolean;
  /** Whether the run is complete and every threshold holds. */
  readonly passed: boolean;
  readonly asked: {
    readonly ratePerS: number;
    readonly calls: number;
    readonly seconds: number;
    readonly warmupSeconds: number;
    readonly servers: number;
    readonly tolerance: number;
    readonly p95Ms: number;
    readonly p99Ms: number;
    readonly vus: number;
    readonly workMs: number;
  };
  readonly achieved: {
    /** Null when the run was interrupted. */
    readonly ratePerS: number | null;
    readonly calls: number;
    readonly errors: number;
    /** Calls not started because no VU was free. */
    readonly dropped: number;
    readonly servers: number;
  };
  readonly servers: readonly ServerReport[];
  /** Replies from servers beyond those asked for, or new during the run. */
  readonly otherCalls: number;
  readonly deviationMax: number;
  /** Null when calls are balanced rather than connections. */
  readonly pins: PinReport | null;
  readonly latencyMs: Latencies | null;
  readonly connectMs: Latencies | null;
  readonly phases: readonly PhaseReport[];
  /** Counts of all calls, set-up and warm-up included, for reconciliation. */
  readonly ledger: {
    readonly callsSent: number;
    readonly retries: number;
    readonly statuses: Readonly<Record<string, number>>;
  };
  readonly thresholds: readonly ThresholdReport[];
  /**
   * Concurrent calls to a server that does nothing, on this machine and without
   * a balancer; null without one, as in plain `k6 run`.
   */
  readonly reference: Latencies | null;
  /** Further remarks, a line each. */
  readonly comment: readonly string[];
  /**
   * Why the calls that servers and Envoy counted could not be read; `load` adds
   * it where they had to be.
   */
  readonly uncounted?: string;
}
