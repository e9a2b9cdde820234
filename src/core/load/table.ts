/** The report of a load test as text. */
import { tableLines } from "../table.ts";
import { pinLines } from "./pins.ts";
import type {
  Latencies,
  LoadReport,
  PhaseReport,
  ServerReport,
} from "./report.ts";
import { crossedLines, referenceLine, verdictLine } from "./verdict.ts";

/** A table: its head, then its rows. */
export type Rows = readonly (readonly string[])[];

function columns([head = [], ...rows]: Rows): readonly string[] {
  return tableLines(head, rows);
}

/** A part of one as percent: "33.33 %". */
export function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

/** Milliseconds, with significant digits only. */
export function ms(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}

/** A rate with one decimal, unless that is 0. */
export function rate(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

/** Rows of the table of servers, its head first. */
export function serverRows({ servers, otherCalls, pins }: LoadReport): Rows {
  const l7Calls = Object.values(pins?.l7.calls ?? {})
    .reduce((sum, calls) => sum + calls, 0);
  const last = ({ name, deviation }: ServerReport) =>
    pins === null
      ? `${deviation > 0 ? "+" : ""}${percent(deviation)}`
      : percent((pins.l7.calls[name ?? ""] ?? 0) / Math.max(1, l7Calls));
  const rows = servers.map((server) => [
    server.name ?? "(missing)",
    String(server.calls),
    percent(server.share),
    last(server),
  ]);
  if (otherCalls > 0) rows.push(["other servers", String(otherCalls), "", ""]);
  return pins === null
    ? [["server", "calls", "share", "off even"], ...rows]
    : [["server", "calls", "share, L4", "share, L7"], ...rows];
}

/** Rows of what was asked and what was achieved, the head first. */
export function goalRows(report: LoadReport): Rows {
  const { asked, achieved, latencyMs, deviationMax, pins } = report;
  return [
    ["", "asked", "achieved"],
    [
      "calls per second",
      rate(asked.ratePerS),
      achieved.ratePerS === null ? "-" : rate(achieved.ratePerS),
    ],
    ["calls", rate(asked.calls), String(achieved.calls)],
    ["servers", String(asked.servers), String(achieved.servers)],
    ...(pins === null
      ? [[
        "largest deviation",
        `<= ${percent(asked.tolerance)}`,
        percent(deviationMax),
      ]]
      : []),
    ["errors", "0", String(achieved.errors)],
    ["calls not started", "0", String(achieved.dropped)],
    ...(["p95", "p99"] as const).map((name) => [
      `${name}, ms`,
      `< ${asked[`${name}Ms`]}`,
      latencyMs === null ? "-" : ms(latencyMs[name]),
    ]),
  ];
}

const LATENCIES = ["min", "p50", "p90", "p95", "p99", "max"] as const;

/** Rows of the latencies of the phases, the head first. */
export function phaseRows(phases: readonly PhaseReport[]): Rows {
  const cells = (latencyMs: Latencies | null) =>
    LATENCIES.map((key) => latencyMs === null ? "-" : ms(latencyMs[key]));
  return [
    ["phase", "asked/s", "calls/s", "errors", ...LATENCIES],
    ...phases.map(({ name, askedRatePerS, seconds, errors, latencyMs }) => [
      name,
      rate(askedRatePerS),
      latencyMs === null ? "0" : rate(latencyMs.count / seconds),
      String(errors),
      ...cells(latencyMs),
    ]),
  ];
}

/** Remarks that do not fit a table. */
export function remarks(report: LoadReport): readonly string[] {
  const { comment, connectMs, ledger, reference, uncounted } = report;
  const failed = Object.entries(ledger.statuses)
    .filter(([name]) => name !== "OK")
    .map(([name, count]) => `${count} ${name}`);
  return [
    ...pinLines(report),
    ...comment,
    ...(failed.length === 0
      ? []
      : [`Failed calls, warm-up included: ${failed.join(", ")}`]),
    ...(ledger.retries === 0 ? [] : [`Envoy retried ${ledger.retries} times`]),
    ...(connectMs === null ? [] : [
      `Connecting took p50 ${ms(connectMs.p50)} ms, p95 ${
        ms(connectMs.p95)
      } ms`,
    ]),
    ...(reference === null ? [] : [referenceLine(reference)]),
    ...(uncounted === undefined
      ? []
      : [`Calls were counted by k6 alone: ${uncounted}`]),
  ];
}

/** The load asked for, in one line. */
export function loadLine({ target, asked, phases }: LoadReport): string {
  const rates = phases.filter(({ isMeasured }) => isMeasured)
    .map(({ askedRatePerS }) => askedRatePerS)
    .filter((one, at, all) => one !== all[at - 1]);
  return `${target}, ${rates.join(", then ")} calls/s, measured for ${
    rate(asked.seconds)
  } s after ${rate(asked.warmupSeconds)} s of warm-up`;
}

/** How lines of the verdict are drawn, by what they mean. */
export type Paint = (
  colour: "red" | "green" | "yellow",
  text: string,
) => string;

/**
 * The report as lines.
 *
 * @param more Lines before the verdict: other measurements.
 * @param paint Colours a line (default: not at all).
 */
export function textOf(
  report: LoadReport,
  more: readonly string[] = [],
  paint: Paint = (_, text) => text,
): readonly string[] {
  const { colour, text } = verdictLine(report);
  return [
    "",
    `${report.question}  (${report.script})`,
    loadLine(report),
    "",
    ...columns(serverRows(report)),
    "",
    ...columns(goalRows(report)),
    "",
    "latency in ms",
    ...columns(phaseRows(report.phases)),
    "",
    ...remarks(report),
    ...more,
    paint(colour, text),
    ...crossedLines(report).map((line) => paint(colour, `  ${line}`)),
  ];
}
