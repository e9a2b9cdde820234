/** The report of a load test as a page. */
import { serverColour } from "../look.ts";
import {
  box,
  type Content,
  element,
  folded,
  type Html,
  page,
  table,
} from "../page.ts";
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
  /** The server's colour, if it is a server's bar. */
  readonly colour?: number;
}

/** What all bars of a chart share. */
interface Scale {
  readonly max: number;
  /** Where bars should end; null when that is anywhere. */
  readonly band: readonly [from: number, to: number] | null;
  readonly label: (value: number) => string;
}

/** Horizontal bars, with a line or a band where they should end. */
function bars(rows: readonly Bar[], { max, band, label }: Scale): Html {
  const percentOf = (value: number) =>
    `${(100 * Math.min(1, value / max)).toFixed(2)}%`;
  const target = (band === null ? [] : [band]).map(([from, to]) =>
    element("i", {
      class: "target",
      style: `left: ${percentOf(from)}; width: ${percentOf(to - from)}`,
    })
  );
  const lines = rows.flatMap(({ name, value, isBad, colour }) => [
    element("span", {}, name),
    element(
      "span",
      {
        class: "track",
        ...(colour === undefined ? {} : { "data-colour": colour }),
      },
      element("i", {
        style: `width: ${percentOf(value)}` +
          (isBad && colour === undefined ? "; background: var(--wrong)" : ""),
      }),
      ...target,
    ),
    element("b", isBad ? { class: "wrong" } : {}, label(value)),
  ]);
  return box("bars", ...lines);
}

/** The share of each server; the band is where it must end. */
function shareChart(report: LoadReport): Html {
  const { servers, asked, otherCalls, achieved, pins } = report;
  const from = (1 - asked.tolerance) / asked.servers;
  const to = Math.min(1, (1 + asked.tolerance) / asked.servers);
  const rows: Bar[] = servers.map(({ name, share }) => ({
    name: name ?? "(missing)",
    value: share,
    isBad: pins === null && (share < from || share > to),
    colour: serverColour(name ?? ""),
  }));
  if (otherCalls > 0) {
    const value = otherCalls / achieved.calls;
    rows.push({ name: "other servers", value, isBad: true });
  }
  const max = 1.2 * Math.max(to, ...rows.map(({ value }) => value));
  const band = pins === null ? [from, to] as const : null;
  return bars(rows, { max, band, label: percent });
}

/** p99 of each phase; the line is its bound. */
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

/** What the page has beside the report. */
export interface PageNotes {
  /** Further remarks, a line each. */
  readonly lines?: readonly string[];
  /** The machine and the versions, by name. */
  readonly facts?: Readonly<Record<string, string>> | undefined;
  /** The name of k6's own page beside this one, if there is one. */
  readonly dashboard?: string | undefined;
}

/** The page. */
export function htmlOf(report: LoadReport, notes: PageNotes = {}): string {
  const hint = report.pins === null
    ? "Each bar must end at the mark, which is as wide as the tolerance."
    : "Connections are balanced here, so no share is demanded.";
  const lines = [...remarks(report), ...notes.lines ?? []]
    .map((line) => element("p", {}, line));
  if (notes.dashboard !== undefined) {
    lines.push(
      element("a", { href: notes.dashboard }, "k6's own page, over time"),
    );
  }
  const word = verdictOf(report);
  return page(report.question, [
    element("h1", {}, report.question),
    element(
      "p",
      { class: `lede verdict ${word}` },
      verdictLine(report).text,
    ),
    element(
      "ul",
      { class: word === "failed" ? "faults" : "" },
      ...crossedLines(report).map((line) => element("li", {}, line)),
    ),
    element("p", { class: "hint" }, `${report.script}: ${loadLine(report)}`),
    box(
      "pair parts",
      part("Calls per server", hint, shareChart(report), serverRows(report)),
      part(
        "p99 of the latency",
        "Each bar must end before the mark.",
        latencyChart(report),
        phaseRows(report.phases),
      ),
      part("Asked and achieved", "", "", goalRows(report)),
      lines.length === 0
        ? ""
        : element("div", {}, element("h2", {}, "Remarks"), ...lines),
    ),
    folded(
      `All ${report.thresholds.length} thresholds`,
      tableOf(thresholdRows(report)),
    ),
    notes.facts === undefined ? "" : folded(
      "The machine and the versions",
      table(["", ""], Object.entries(notes.facts)),
    ),
    element(
      "p",
      { class: "hint" },
      "The same numbers as JSON stand beside this page.",
    ),
  ]);
}

/** A part of the page: a chart, and its numbers. */
function part(title: string, hint: string, chart: Content, rows: Rows): Html {
  return element(
    "div",
    {},
    element("h2", {}, title),
    element("p", { class: "hint" }, hint),
    chart,
    tableOf(rows),
  );
}

function tableOf([head = [], ...rows]: Rows): Html {
  return table(head, rows);
}
