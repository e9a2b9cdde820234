/**
 * What a load test has shown, as a value: k6's scripts make it, the terminal,
 * the page and comparisons read it. Its fields are what the record's JSON has.
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

/** A part of the run in time. */
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

/** A server's part of the calls. */
export interface ServerReport {
  /** Null when there are fewer servers than there should be. */
  readonly name: string | null;
  readonly calls: number;
  readonly share: number;
  /** How far the share is from the even one, as a part of it. */
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

/** What is special about a run on a listener that balances connections. */
export interface PinReport {
  /** Connections that were held, as many as there were VUs. */
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
    /** Calls that were not started, as nobody was free to make them. */
    readonly dropped: number;
    readonly servers: number;
  };
  readonly servers: readonly ServerReport[];
  /** Replies of servers beyond the ones asked for, or new in the run. */
  readonly otherCalls: number;
  readonly deviationMax: number;
  /** Null when calls are balanced, and not connections. */
  readonly pins: PinReport | null;
  readonly latencyMs: Latencies | null;
  readonly connectMs: Latencies | null;
  readonly phases: readonly PhaseReport[];
  /** Of all calls, set-up and warm-up included; for reconciling. */
  readonly ledger: {
    readonly callsSent: number;
    readonly retries: number;
    readonly statuses: Readonly<Record<string, number>>;
  };
  readonly thresholds: readonly ThresholdReport[];
  /**
   * Calls to a server that does nothing, on this machine and past every
   * balancer, made beside the others; null without one, as in plain `k6 run`.
   */
  readonly reference: Latencies | null;
  /** Further remarks, a line each. */
  readonly comment: readonly string[];
}
