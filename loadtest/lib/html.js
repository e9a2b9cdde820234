// The report as one HTML page that needs nothing else.
import {
  crossedLines,
  goalRows,
  loadLine,
  ms,
  percent,
  phaseRows,
  remarks,
  serverRows,
  verdict,
} from "./table.js";

const STYLE = `
  :root { color-scheme: light dark; --bar: #3b78c4; --bad: #c03a2b;
    --good: #2e7d32; --line: #8886; }
  @media (prefers-color-scheme: dark) {
    :root { --bar: #6ea3e6; --bad: #ff7a68; --good: #7bc67e; }
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
  .held { color: var(--good); } .crossed { color: var(--bad); }
  .verdict { font-weight: 600; }
  .hint { font-size: .9rem; opacity: .8; margin: .3rem 0; }
  svg { margin-bottom: .8rem; }
  svg { width: 100%; height: auto; display: block; font: 13px system-ui,
    sans-serif; }
  svg text { fill: currentColor; }
`;

function escape(text) {
  return String(text).replace(/[&<>"]/g, (character) => ({
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  }[character]));
}

function table([head, ...rows]) {
  const line = (cells, tag) =>
    `<tr>${
      cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")
    }</tr>`;
  return `<div class="scroll"><table>${line(head, "th")}${
    rows.map((row) => line(row, "td")).join("")
  }</table></div>`;
}

const CHART = { width: 900, row: 26, left: 150, right: 90 };

/** Horizontal bars, with a line or a band where they should end. */
function bars(rows, { max, from, to, label }) {
  const { width, row, left, right } = CHART;
  const scale = (value) =>
    left + (width - left - right) * Math.min(1, value / max);
  const height = rows.length * row;
  const band = `<rect x="${scale(from)}" y="0" width="${
    Math.max(2, scale(to) - scale(from))
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
  }${band}</svg>`;
}

/** The share of each server; the band is where it must end. */
function shareChart({ servers, asked, otherCalls, achieved }) {
  const from = (1 - asked.tolerance) / asked.servers;
  const to = Math.min(1, (1 + asked.tolerance) / asked.servers);
  const rows = servers.map(({ name, share }) => ({
    name: name || "(missing)",
    value: share,
    isBad: share < from || share > to,
  }));
  if (otherCalls > 0) {
    const value = otherCalls / achieved.calls;
    rows.push({ name: "other servers", value, isBad: true });
  }
  const max = 1.2 * Math.max(to, ...rows.map(({ value }) => value));
  return bars(rows, { max, from, to, label: percent });
}

/** p99 of each phase; the line is its bound. */
function latencyChart({ phases, asked }) {
  const rows = phases
    .filter(({ latencyMs }) => latencyMs !== null)
    .map(({ name, latencyMs, p99Ms }) => ({
      name: `${name}`,
      value: latencyMs.p99,
      isBad: latencyMs.p99 >= (p99Ms || asked.p99Ms),
    }));
  const bound = asked.p99Ms;
  const max = 1.1 * Math.max(bound, ...rows.map(({ value }) => value));
  return bars(rows, {
    max,
    from: bound,
    to: bound,
    label: (value) => `${ms(value)} ms`,
  });
}

/** Where `deno task load` puts what it knows of the load generator. */
const GENERATOR_MARK = "<!-- generator -->";

/** The page. */
export function htmlOf(report) {
  const { question, passed } = report;
  const notes = remarks(report).map((line) => `<p>${escape(line)}</p>`);
  const crossed = crossedLines(report)
    .map((line) => `<li>${escape(line)}</li>`).join("");
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(question)}</title>
<style>${STYLE}</style>
<h1>${escape(question)}</h1>
<p>${escape(report.script)}: ${escape(loadLine(report))}</p>
<p class="verdict ${passed ? "held" : "crossed"}">${escape(verdict(report))}</p>
<ul class="crossed">${crossed}</ul>
${notes.join("\n")}
<h2>Calls per server</h2>
<p class="hint">Each bar must end in the green band.</p>
${shareChart(report)}
${table(serverRows(report))}
<h2>Asked and achieved</h2>
${table(goalRows(report))}
${GENERATOR_MARK}
<h2>Latency in milliseconds, p99 drawn</h2>
<p class="hint">Each bar must end before the green line.</p>
${latencyChart(report)}
${table(phaseRows(report))}
<h2>Thresholds</h2>
${
    table([
      ["metric", "must be", "is", ""],
      ...report.thresholds.map(({ metric, condition, value, ok }) => [
        metric,
        condition,
        value === undefined ? "missing" : String(Number(value.toFixed(4))),
        ok ? "held" : "CROSSED",
      ]),
    ])
  }
<p>The same numbers as JSON stand beside this page.</p>
</html>
`;
}
