/** A report for tests. */
import type { Latencies, LoadReport } from "./report.ts";

/** Latencies of a quiet machine. */
export const LATENCIES: Latencies = {
  count: 600,
  min: 0.5,
  p50: 1,
  p90: 2,
  p95: 3,
  p99: 4,
  max: 9,
};

/** A run in which everything held. */
export const REPORT: LoadReport = {
  question: "Does every server get the same share of the calls?",
  script: "loadtest/grpc.js",
  target: "localhost:5000",
  isComplete: true,
  passed: true,
  asked: {
    ratePerS: 300,
    calls: 600,
    seconds: 2,
    warmupSeconds: 1,
    servers: 3,
    tolerance: 0.01,
    p95Ms: 50,
    p99Ms: 100,
    vus: 53,
    workMs: 0,
  },
  achieved: { ratePerS: 300, calls: 600, errors: 0, dropped: 0, servers: 3 },
  servers: [1, 2, 3].map((number) => ({
    name: `server-${number}`,
    calls: 200,
    share: 1 / 3,
    deviation: 0,
  })),
  otherCalls: 0,
  deviationMax: 0,
  pins: null,
  latencyMs: LATENCIES,
  connectMs: null,
  phases: [{
    name: "constant-rate",
    isMeasured: true,
    askedRatePerS: 300,
    seconds: 2,
    p99Ms: null,
    errors: 0,
    latencyMs: LATENCIES,
  }],
  ledger: { callsSent: 700, retries: 0, statuses: { OK: 700 } },
  thresholds: [],
  reference: null,
  comment: [],
};
