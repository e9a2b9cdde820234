/** Whether a load test held, failed, or was inconclusive. */
import type { Latencies, LoadReport, ThresholdReport } from "./report.ts";

/**
 * `unknown`: a busy machine alone may have crossed the thresholds, or they hold
 * but the ledgers could not be read.
 */
export type Verdict = "held" | "failed" | "unknown" | "interrupted";

/** The exit code of `load` and `lesson check` when neither can be told. */
export const UNKNOWN_EXIT_CODE = 4;

/**
 * On a quiet machine reference calls take a millisecond or two and stay below
 * these.
 */
const QUIET_MS = { p95: 10, p99: 20 } as const;

/**
 * A call through Envoy passes between processes at most this many times as
 * often as a reference call, and may wait for a core each time.
 */
const HANDS_MAX = 3;

function crossedOf({ thresholds }: LoadReport): readonly ThresholdReport[] {
  return thresholds.filter(({ ok }) => !ok);
}

/** Whether programs had to wait for a core of this machine. */
function isBusy({ p95, p99 }: Latencies): boolean {
  return p95 >= QUIET_MS.p95 || p99 >= QUIET_MS.p99;
}

/**
 * Whether waiting for a core alone may explain a crossed threshold. It delays
 * calls by about as much as reference calls, and thereby keeps VUs busy; it
 * takes no server away and sends no call elsewhere.
 */
function isExplained(
  { metric, condition, value }: ThresholdReport,
  reference: Latencies,
  { asked }: LoadReport,
): boolean {
  if (metric.startsWith("dropped_iterations")) {
    const allCallersBusyMs = 1000 * asked.vus / asked.ratePerS;
    return HANDS_MAX * reference.max >= allCallersBusyMs;
  }
  if (!/^(grpc_req_duration|first_message_ms)\b/.test(metric)) return false;
  const referenceMs = condition.startsWith("p(95)")
    ? reference.p95
    : reference.p99;
  return value !== undefined && value <= HANDS_MAX * referenceMs;
}

/** The verdict of a report. */
export function verdictOf(report: LoadReport): Verdict {
  if (!report.isComplete) return "interrupted";
  const crossed = crossedOf(report);
  const { reference, uncounted } = report;
  if (crossed.length === 0) return uncounted === undefined ? "held" : "unknown";
  return reference !== null && isBusy(reference) &&
      crossed.every((one) => isExplained(one, reference, report))
    ? "unknown"
    : "failed";
}

/** What reference calls say about the machine, in one line. */
export function referenceLine({ p95, p99 }: Latencies): string {
  return "Calls without Envoy, to a server that does nothing, took p95 " +
    `${p95.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms: the machine's own part`;
}

/** The verdict in one line, and its colour. */
export function verdictLine(
  report: LoadReport,
): {
  readonly colour: "red" | "green" | "yellow";
  readonly text: string;
} {
  const all = report.thresholds.length;
  const crossed = crossedOf(report).length;
  switch (verdictOf(report)) {
    case "interrupted":
      return {
        colour: "yellow",
        text: "INTERRUPTED: these are the measurements so far",
      };
    case "held":
      return { colour: "green", text: `PASSED: all ${all} thresholds hold` };
    case "failed":
      return {
        colour: "red",
        text: `FAILED: ${crossed} of ${all} thresholds crossed`,
      };
    case "unknown":
      return {
        colour: "yellow",
        text: crossed === 0
          ? `UNKNOWN: all ${all} thresholds hold, but what the servers and ` +
            "Envoy counted could not be read; rerun it"
          : "UNKNOWN: the machine was busy (calls without Envoy were late, too)" +
            `, which may be why ${crossed} of ${all} thresholds were crossed; ` +
            "rerun it when the machine is quiet",
      };
  }
}

/** The crossed thresholds, a line each. */
export function crossedLines(report: LoadReport): readonly string[] {
  return crossedOf(report).map(({ metric, condition, value }) =>
    `${metric}: must be ${condition}, is ${
      value === undefined ? "missing" : Number(value.toFixed(4))
    }`
  );
}
