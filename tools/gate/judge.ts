/** The runtime gate's verdicts on its observations. Pure. */
import { tableLines } from "../../src/core/table.ts";
import type { FailedCall, Report } from "./calls.ts";

/** Why a check failed, in a few words each; empty when it passed. */
export type Reasons = readonly string[];

/** A check's outcome: reasons against a Deno, or a figure without a verdict. */
export type Outcome = Reasons | string;

/** How a process ended. */
interface Exit {
  readonly code: number;
  readonly signal: string | null;
}

/** A period in which Envoy was down, in milliseconds since 1970. */
export interface Absence {
  readonly stoppedAtMs: number;
  /** When it was live again. */
  readonly readyAtMs: number;
}

/** How long calls may take to succeed again once Envoy is live. */
const RECOVERY_MS_MAX = 2_000;

/** Judges a process that should have exited by itself, with 0. */
export function judgeExit(program: string, { code, signal }: Exit): Reasons {
  if (code === 0 && signal === null) return [];
  const cause = signal === null ? "" : ` (${signal})`;
  return [`${program} exit ${code}${cause}`];
}

/** Judges calls of which none may be lost. */
export function judgeCalls(report: Report, callsExpected: number): Reasons {
  const missing = callsExpected - report.calls;
  return [
    ...(missing > 0 ? [`${missing} calls not made`] : []),
    ...lost(report.failures, report.calls),
  ];
}

function lost(failures: readonly FailedCall[], calls: number): Reasons {
  if (failures.length === 0) return [];
  const codes = Map.groupBy(failures, ({ code }) => code);
  const counts = [...codes].map(([code, list]) => `${list.length} ${code}`);
  return [`${failures.length} of ${calls} calls lost: ${counts.join(", ")}`];
}

/** Judges whether the other side closed connections at all. */
export function judgeDisconnects(disconnects: number, min: number): Reasons {
  return disconnects >= min
    ? []
    : [`${disconnects} connections closed by age, not ${min} or more`];
}

/**
 * Whether a call failed for lack of a connection. When it breaks as the call is
 * written, Deno reports EPIPE, which grpc-js maps to INTERNAL rather than
 * UNAVAILABLE.
 */
function isConnectionLost({ code, details }: FailedCall): boolean {
  return code === "UNAVAILABLE" ||
    (code === "INTERNAL" && details.includes("write EPIPE"));
}

/**
 * Judges calls made while Envoy was restarted several times. A call may fail
 * for lack of a connection from when Envoy stops until the first answer after
 * it is live again, which must come within 2 s.
 */
export function judgeRestarts(
  report: Report,
  absences: readonly Absence[],
): Reasons {
  const outages = absences.map(({ stoppedAtMs, readyAtMs }) => ({
    stoppedAtMs,
    readyAtMs,
    answeredAtMs: report.successesAtMs.find((atMs) => atMs >= readyAtMs) ??
      Infinity,
  }));
  const late = outages.filter(({ readyAtMs, answeredAtMs }) =>
    answeredAtMs - readyAtMs > RECOVERY_MS_MAX
  );
  const lostCalls = report.failures.filter((call) =>
    !isConnectionLost(call) ||
    !outages.some(({ stoppedAtMs, answeredAtMs }) =>
      call.endedAtMs >= stoppedAtMs && call.startedAtMs <= answeredAtMs
    )
  );
  return [
    ...(late.length > 0
      ? [
        `no answer within 2 s after ${late.length} of ${absences.length} restarts`,
      ]
      : []),
    ...lost(lostCalls, report.calls),
  ];
}

/** What a closed connection may leak: noise, but no connection object. */
const KEPT_BYTES_MAX = 2048;

/** Judges the memory leaked per closed connection. */
export function judgeKept(bytes: number): Outcome {
  // NaN, if it was not measured, must not pass.
  return bytes < KEPT_BYTES_MAX
    ? kibibytes(bytes)
    : [`a closed connection keeps ${kibibytes(bytes)}, not below 2 KiB`];
}

/** Formats bytes as KiB. */
export function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

/** Whether a check passed. */
export function isPassed(outcome: Outcome): boolean {
  return typeof outcome === "string"
    ? outcome !== NOT_RUN
    : outcome.length === 0;
}

/** Stands for each check of a Deno that does not run our code. */
export const NOT_RUN = "not run";

/** The findings about one Deno. */
export interface Row {
  readonly version: string;
  /** In the order of the checks. */
  readonly checks: readonly Outcome[];
}

/** The table of versions by check, and below it why checks failed. */
export function gateTable(
  titles: readonly string[],
  rows: readonly Row[],
): readonly string[] {
  const cell = (check: Outcome) =>
    typeof check === "string" ? check : check.length === 0 ? "ok" : "FAILED";
  const why = rows.flatMap(({ version, checks }) =>
    checks.flatMap((check, index) =>
      typeof check === "string" || check.length === 0
        ? []
        : [`${version}  ${titles[index]}: ${check.join("; ")}`]
    )
  );
  return [
    ...tableLines(
      ["Deno", ...titles],
      rows.map(({ version, checks }) => [version, ...checks.map(cell)]),
    ),
    ...(why.length === 0 ? [] : ["", ...why]),
  ];
}
