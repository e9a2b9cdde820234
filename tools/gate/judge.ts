/** What the runtime gate concludes from what it saw. Pure. */
import { tableLines } from "../../src/core/table.ts";
import type { FailedCall, Report } from "./calls.ts";

/** Why a check failed, each in a few words; none when it passed. */
export type Reasons = readonly string[];

/** What a check found: reasons against a Deno, or a figure without a verdict. */
export type Outcome = Reasons | string;

/** How a process ended. */
interface Exit {
  readonly code: number;
  readonly signal: string | null;
}

/** A time in which Envoy was away, in milliseconds since 1970. */
export interface Absence {
  readonly stoppedAtMs: number;
  /** When it was live again. */
  readonly readyAtMs: number;
}

/** How long answers may take to come again after Envoy is live. */
const RECOVERY_MS_MAX = 2_000;

/** Judges the end of a process that should have ended by itself, with 0. */
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

/** Judges whether the other side has closed connections at all. */
export function judgeDisconnects(disconnects: number, min: number): Reasons {
  return disconnects >= min
    ? []
    : [`${disconnects} connections closed by age, not ${min} or more`];
}

/**
 * Whether a call says that there was no connection. grpc-js has no UNAVAILABLE
 * for one that breaks just as the call is written, as Deno tells it by EPIPE.
 */
function isConnectionLost({ code, details }: FailedCall): boolean {
  return code === "UNAVAILABLE" ||
    (code === "INTERNAL" && details.includes("write EPIPE"));
}

/**
 * Judges calls that went on while Envoy was away several times. A call may
 * fail, for want of a connection, from an absence's begin until the first
 * answer after it, which must come within 2 s.
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

/** What a closed connection may keep: noise, but no object of a connection. */
const KEPT_BYTES_MAX = 2048;

/** Judges the memory that each closed connection has kept. */
export function judgeKept(bytes: number): Outcome {
  // Not a number, if it was not measured, must not pass.
  return bytes < KEPT_BYTES_MAX
    ? kibibytes(bytes)
    : [`a closed connection keeps ${kibibytes(bytes)}, not below 2 KiB`];
}

/** Bytes as people read them. */
export function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

/** Whether a check has nothing against a Deno. */
export function isPassed(outcome: Outcome): boolean {
  return typeof outcome === "string"
    ? outcome !== NOT_RUN
    : outcome.length === 0;
}

/** What stands for each check of a Deno that does not run our code. */
export const NOT_RUN = "not run";

/** What was found out about one Deno. */
export interface Row {
  readonly version: string;
  /** In the order of the checks. */
  readonly checks: readonly Outcome[];
}

/** The table of versions by check, and below it why checks have failed. */
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
