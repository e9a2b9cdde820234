/** Histories for the tests of judges. */
import type { CallRecord, History, HostSample, Snapshot } from "./history.ts";

/** A successful call, with any parts replaced. */
export function call(parts: Partial<CallRecord> = {}): CallRecord {
  return {
    startMs: 0,
    lateMs: 0,
    latencyMs: 5,
    status: "OK",
    details: "",
    server: "server-1",
    attempts: 1,
    isOverloaded: false,
    isAnswered: true,
    ...parts,
  };
}

/** Calls that start 10 ms apart. */
export function calls(
  count: number,
  parts: Partial<CallRecord> = {},
): CallRecord[] {
  return Array.from(
    { length: count },
    (_, index) => call({ startMs: index * 10, ...parts }),
  );
}

/** An empty snapshot, with any parts replaced. */
export function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  return { stats: {}, hosts: [], counters: {}, ...parts };
}

/** A healthy host. */
export function host(server: string, rqTotal: number): HostSample {
  return {
    address: `${server}:8080`,
    server,
    isHealthy: true,
    isEjected: false,
    rqTotal,
    rqActive: 0,
  };
}

/** A run without a call, with any parts replaced. */
export function history(parts: Partial<History> = {}): History {
  return {
    setup: { servers: 1 },
    load: {
      ratePerS: 100,
      durationMs: 1000,
      workMs: 0,
      deadlineMs: 2000,
      connections: 4,
      listener: "l7",
    },
    seed: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 1000,
    calls: [],
    events: [],
    samples: [],
    before: snapshot(),
    after: snapshot(),
    measures: [],
    actions: [],
    extraCalls: 0,
    unsureCalls: 0,
    directCalls: 0,
    crashes: [],
    lines: [],
    disturbance: { timersLateMs: 1, othersShare: 0, stolenShare: 0 },
    isInterrupted: false,
    ...parts,
  };
}
