// The report as text.

/** Lines of aligned columns; the first to the left, the others to the right. */
function columns(rows) {
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => row[column].length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
    ).join("  ").trimEnd()
  );
}

/** A part of one as percent: "33.33 %". */
export function percent(part) {
  return `${(100 * part).toFixed(2)} %`;
}

/** Milliseconds, with the digits that matter. */
export function ms(value) {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}

/** A rate with one decimal, without it when it is 0. */
export function rate(value) {
  return value.toFixed(1).replace(/\.0$/, "");
}

/** Rows of the table of servers, its head first. */
export function serverRows({ servers, otherCalls }) {
  const rows = servers.map(({ name, calls, share, deviation }) => [
    name || "(missing)",
    String(calls),
    percent(share),
    `${deviation > 0 ? "+" : ""}${percent(deviation)}`,
  ]);
  if (otherCalls > 0) rows.push(["other servers", String(otherCalls), "", ""]);
  return [["server", "calls", "share", "off even"], ...rows];
}

/** Rows of what was asked and what was achieved, the head first. */
export function goalRows({ asked, achieved, latencyMs, deviationMax }) {
  return [
    ["", "asked", "achieved"],
    [
      "calls per second",
      rate(asked.ratePerS),
      achieved.ratePerS === null ? "-" : rate(achieved.ratePerS),
    ],
    ["calls", rate(asked.calls), String(achieved.calls)],
    ["servers", String(asked.servers), String(achieved.servers)],
    [
      "largest deviation",
      `<= ${percent(asked.tolerance)}`,
      percent(deviationMax),
    ],
    ["errors", "0", String(achieved.errors)],
    ["calls not started", "0", String(achieved.dropped)],
    ...["p95", "p99"].map((name) => [
      `${name}, ms`,
      `< ${asked[`${name}Ms`]}`,
      latencyMs === null ? "-" : ms(latencyMs[name]),
    ]),
  ];
}

const LATENCIES = ["min", "p50", "p90", "p95", "p99", "max"];

/** Rows of the latencies of the phases, the head first. */
export function phaseRows({ phases }) {
  return [
    ["phase", "asked/s", "calls/s", "errors", ...LATENCIES],
    ...phases.map(({ name, askedRatePerS, seconds, errors, latencyMs }) => [
      name,
      rate(askedRatePerS),
      latencyMs === null ? "0" : rate(latencyMs.count / seconds),
      String(errors),
      ...LATENCIES.map((key) => latencyMs === null ? "-" : ms(latencyMs[key])),
    ]),
  ];
}

/** Lines on what does not fit a table; none when there is nothing to say. */
export function remarks({ comment, connectMs, ledger }) {
  const failed = Object.entries(ledger.statuses)
    .filter(([name]) => name !== "OK")
    .map(([name, count]) => `${count} ${name}`);
  return [
    ...comment,
    ...(failed.length === 0
      ? []
      : [`Failed calls, warm-up included: ${failed.join(", ")}`]),
    ...(ledger.retries === 0
      ? []
      : [`Envoy tried calls again ${ledger.retries} times`]),
    ...(connectMs === null ? [] : [
      `Connecting took p50 ${ms(connectMs.p50)} ms, p95 ${
        ms(connectMs.p95)
      } ms`,
    ]),
  ];
}

/** One line: whether every threshold held, or which did not. */
export function verdict({ thresholds, isComplete }) {
  if (!isComplete) return "INTERRUPTED: this is what was measured until then";
  const crossed = thresholds.filter(({ ok }) => !ok);
  return crossed.length === 0
    ? `PASSED: all ${thresholds.length} thresholds hold`
    : `FAILED: ${crossed.length} of ${thresholds.length} thresholds crossed`;
}

/** A crossed threshold in one line. */
export function crossedLines({ thresholds }) {
  return thresholds.filter(({ ok }) => !ok).map(
    ({ metric, condition, value }) =>
      `${metric}: must be ${condition}, is ${
        value === undefined ? "missing" : Number(value.toFixed(4))
      }`,
  );
}

/** What was asked for in one line. */
export function loadLine({ target, asked, phases }) {
  const rates = phases.filter(({ isMeasured }) => isMeasured)
    .map(({ askedRatePerS }) => askedRatePerS)
    .filter((one, at, all) => one !== all[at - 1]);
  return `${target}, ${rates.join(", then ")} calls a second, measured for ${
    rate(asked.seconds)
  } s after ${rate(asked.warmupSeconds)} s of warm-up`;
}

/** The report as text, ending with the names of the files. */
export function textOf(report, files) {
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
    ...columns(phaseRows(report)),
    "",
    ...remarks(report),
    verdict(report),
    ...crossedLines(report).map((line) => `  ${line}`),
    ...files,
    "",
  ].join("\n");
}
