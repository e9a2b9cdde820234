/** The report of a load test as one HTML page that needs nothing else. */
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
import { crossedLines, verdictLine } from "./verdict.ts";

const STYLE = `
  :root { color-scheme: light dark; --bar: #3b78c4; --bad: #c03a2b;
    --good: #2e7d32; --unknown: #9a6700; --line: #8886; }
  @media (prefers-color-scheme: dark) {
    :root { --bar: #6ea3e6; --bad: #ff7a68; --good: #7bc67e;
      --unknown: #e3b341; }
  }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem;
    margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin-bottom: 0; }
  h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: .2rem .8rem; text-align: right;
    border-bottom: 1px solid var(--line); }
  th:first-child, td:first-child { text-align: left; padding-left: 0; }
  .scroll { overflow-x: auto; }
  .green { color: var(--good); } .red { color: var(--bad); }
  .yellow { color: var(--unknown); }
  .verdict { font-weight: 600; }
  .hint { font-size: .9rem; opacity: .8; margin: .3rem 0; }
  svg { margin-bottom: .8rem; }
  svg { width: 100%; height: auto; display: block; font: 13px system-ui,
    sans-serif; }
  svg text { fill: currentColor; }
`;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}

function table([head = [], ...rows]: Rows): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${
      cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")
    }</tr>`;
  return `<div class="scroll"><table>${line(head, "th")}${
    rows.map((row) => line(row, "td")).join("")
  }</table></div>`;
}

/** A bar of a chart. */
interface Bar {
  readonly name: string;
  readonly value: number;
  readonly isBad: boolean;
}

/** What all bars of a chart share. */
interface Scale {
  readonly max: number;
  /** Where bars should end; null when that is anywhere. */
  readonly band: readonly [from: number, to: number] | null;
  readonly label: (value: number) => string;
}

const CHART = { width: 900, row: 26, left: 150, right: 90 };

/** Horizontal bars, with a line or a band where they should end. */
function bars(rows: readonly Bar[], { max, band, label }: Scale): string {
  const { width, row, left, right } = CHART;
  const scale = (value: number) =>
    left + (width - left - right) * Math.min(1, value / max);
  const height = rows.length * row;
  const target = band === null
    ? ""
    : `<rect x="${scale(band[0])}" y="0" width="${
      Math.max(2, scale(band[1]) - scale(band[0]))
    }" height="${height}" fill="var(--good)" opacity=".35"/>`;
  const lines = rows.map(({ name, value, isBad }, at) => {
    const y = at * row;
    const fill = isBad ? "var(--bad)" : "var(--bar)";
    return `<text x="${left - 10}" y="${y + 18}" text-anchor="end">${
      escape(name)
    }</text><rect x="${left}" y="${y + 4}" width="${
      Math.max(1, scale(value) - left)
    }" height="${row - 8}" fill="${fill}"/><text x="${width - right + 12}" y="${
      y + 18
    }">${escape(label(value))}</text>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img">${
    lines.join("")
  }${target}</svg>`;
}

/** The share of each server; the band is where it must end. */
function shareChart(report: LoadReport): string {
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

/** p99 of each phase; the line is its bound. */
function latencyChart({ phases, asked }: LoadReport): string {
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
  /** The name of k6's own page beside this one, if there is one. */
  readonly dashboard?: string | undefined;
}

/** The page. */
export function htmlOf(report: LoadReport, notes: PageNotes = {}): string {
  const { question } = report;
  const { colour, text } = verdictLine(report);
  const lines = [...remarks(report), ...notes.lines ?? []]
    .map((line) => `<p>${escape(line)}</p>`);
  const crossed = crossedLines(report)
    .map((line) => `<li>${escape(line)}</li>`).join("");
  const hint = report.pins === null
    ? "Each bar must end in the green band."
    : "Connections are balanced here, so no share is demanded.";
  const dashboard = notes.dashboard === undefined
    ? ""
    : `<p><a href="${
      escape(notes.dashboard)
    }">k6's own page, over time</a></p>`;
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(question)}</title>
<style>${STYLE}</style>
<h1>${escape(question)}</h1>
<p>${escape(report.script)}: ${escape(loadLine(report))}</p>
<p class="verdict ${colour}">${escape(text)}</p>
<ul class="${colour}">${crossed}</ul>
${lines.join("\n")}
<h2>Calls per server</h2>
<p class="hint">${hint}</p>
${shareChart(report)}
${table(serverRows(report))}
<h2>Asked and achieved</h2>
${table(goalRows(report))}
<h2>Latency in milliseconds, p99 drawn</h2>
<p class="hint">Each bar must end before the green line.</p>
${latencyChart(report)}
${table(phaseRows(report.phases))}
<h2>Thresholds</h2>
${table(thresholdRows(report))}
${dashboard}
<p>The same numbers as JSON stand beside this page.</p>
</html>
`;
}
