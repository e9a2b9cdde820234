/** The report of a load test as a page. */
import { element, type Html, page, table, verdict } from "../page.ts";
import type { LoadReport } from "./report.ts";
import {
  goalRows,
  loadLine,
  ms,
  percent,
  phaseRows,
  remarks,
  type Rows,
  serverRows,
} from "./table.ts";
import { crossedLines, verdictLine, verdictOf } from "./verdict.ts";

/** A bar of a chart. */
interface Bar {
  readonly name: string;
  readonly value: number;
  readonly isBad: boolean;
}

/** What a chart's bars share. */
interface Scale {
  readonly max: number;
  /** Where bars should end; null when it does not matter. */
  readonly band: readonly [from: number, to: number] | null;
  readonly label: (value: number) => string;
}

const CHART = { width: 900, row: 26, left: 150, right: 90 };

/** Horizontal bars, with a line or a band where they should end. */
function bars(rows: readonly Bar[], { max, band, label }: Scale): Html {
  const { width, row, left, right } = CHART;
  const scale = (value: number) =>
    left + (width - left - right) * Math.min(1, value / max);
  const height = rows.length * row;
  const rect = (
    from: number,
    to: number,
    parts: Readonly<Record<string, string | number>>,
  ) => element("rect", { x: from, width: Math.max(1, to - from), ...parts });
  const lines = rows.flatMap(({ name, value, isBad }, at) => {
    const y = at * row;
    return [
      element(
        "text",
        { x: left - 10, y: y + 18, "text-anchor": "end" },
        name,
      ),
      rect(left, scale(value), {
        y: y + 4,
        height: row - 8,
        fill: isBad ? "var(--bad)" : "var(--bar)",
      }),
      element("text", { x: width - right + 12, y: y + 18 }, label(value)),
    ];
  });
  const target = (band === null ? [] : [band]).map(([from, to]) =>
    rect(scale(from), Math.max(scale(from) + 2, scale(to)), {
      y: 0,
      height,
      fill: "var(--good)",
      opacity: ".35",
    })
  );
  const attributes = { viewBox: `0 0 ${width} ${height}`, role: "img" };
  return element("svg", attributes, ...lines, ...target);
}

/** Each server's share, with the band in which it must end. */
function shareChart(report: LoadReport): Html {
  const { servers, asked, otherCalls, achieved, pins } = report;
  const from = (1 - asked.tolerance) / asked.servers;
  const to = Math.min(1, (1 + asked.tolerance) / asked.servers);
  const rows = servers.map(({ name, share }) => ({
    name: name ?? "(missing)",
    value: share,
    isBad: pins === null && (share < from || share > to),
  }));
  if (otherCalls > 0) {
    const value = otherCalls / achieved.calls;
    rows.push({ name: "other servers", value, isBad: true });
  }
  const max = 1.2 * Math.max(to, ...rows.map(({ value }) => value));
  const band = pins === null ? [from, to] as const : null;
  return bars(rows, { max, band, label: percent });
}

/** Each phase's p99, with a line at its bound. */
function latencyChart({ phases, asked }: LoadReport): Html {
  const rows = phases.flatMap(({ name, latencyMs, p99Ms }) =>
    latencyMs === null ? [] : [{
      name,
      value: latencyMs.p99,
      isBad: latencyMs.p99 >= (p99Ms ?? asked.p99Ms),
    }]
  );
  const bound = asked.p99Ms;
  const max = 1.1 * Math.max(bound, ...rows.map(({ value }) => value));
  return bars(rows, {
    max,
    band: [bound, bound],
    label: (value) => `${ms(value)} ms`,
  });
}

function thresholdRows({ thresholds }: LoadReport): Rows {
  return [
    ["metric", "must be", "is", ""],
    ...thresholds.map(({ metric, condition, value, ok }) => [
      metric,
      condition,
      value === undefined ? "missing" : String(Number(value.toFixed(4))),
      ok ? "held" : "CROSSED",
    ]),
  ];
}

/** What the page has besides the report. */
export interface PageNotes {
  /** Further remarks, a line each. */
  readonly lines?: readonly string[];
  /** The name of k6's own page beside this one, if there is one. */
  readonly dashboard?: string | undefined;
}

/** The page. */
export function htmlOf(report: LoadReport, notes: PageNotes = {}): string {
  const hint = report.pins === null
    ? "Each bar must end in the green band."
    : "Connections are balanced here, so no share is demanded.";
  const paragraph = (text: string) => element("p", {}, text);
  return page(report.question, [
    paragraph(`${report.script}: ${loadLine(report)}`),
    verdict(verdictOf(report), verdictLine(report).text),
    element(
      "ul",
      { class: verdictOf(report) },
      ...crossedLines(report).map((line) => element("li", {}, line)),
    ),
    ...[...remarks(report), ...notes.lines ?? []].map(paragraph),
    element("h2", {}, "Calls per server"),
    element("p", { class: "hint" }, hint),
    shareChart(report),
    tableOf(serverRows(report)),
    element("h2", {}, "Asked and achieved"),
    tableOf(goalRows(report)),
    element("h2", {}, "Latency in milliseconds, p99 drawn"),
    element("p", { class: "hint" }, "Each bar must end before the green line."),
    latencyChart(report),
    tableOf(phaseRows(report.phases)),
    element("h2", {}, "Thresholds"),
    tableOf(thresholdRows(report)),
    ...(notes.dashboard === undefined ? [] : [
      element(
        "a",
        { href: notes.dashboard },
        "k6's own page, with charts over time",
      ),
    ]),
    paragraph("The same numbers are in the JSON file beside this page."),
  ]);
}

function tableOf([head = [], ...rows]: Rows): Html {
  return table(head, rows);
}
