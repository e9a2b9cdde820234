/** Renders the report of experiments as a page. */
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import chartsJs from "./charts.js" with { type: "text" };
import {
  element,
  type Html,
  json,
  page,
  pairs,
  table,
  verdict,
} from "../core/page.ts";
import type { Finding } from "../experiment/conduct.ts";
import type { ExperimentModel, ReportModel, RunModel } from "./model.ts";
import { runLine, SUMMARY_HEAD, summaryRow } from "./words.ts";

/** Makes the page. */
export function reportHtml({ info, experiments }: ReportModel): string {
  const summary = experiments.map((experiment) => {
    const [name = "", word, ...rest] = summaryRow(experiment);
    return [
      element("a", { href: `#${name}` }, name),
      verdict(experiment.verdict, word),
      ...rest,
      experiment.question,
    ];
  });
  return page("Experiments", [
    element(
      "p",
      {},
      `${info.writtenAt}, ${info.stack} stack. To repeat: `,
      element("code", {}, info.command),
      info.isInterrupted ? " This invocation was interrupted." : "",
    ),
    pairs({ ...info.machine, ...info.versions, seed: info.seed }),
    table([...SUMMARY_HEAD, "question"], summary),
    ...experiments.map(experimentSection),
  ], { style: uplotCss, scripts: [uplotJs, chartsJs] });
}

function experimentSection(experiment: ExperimentModel): Html {
  const { name, question, limits, reasons, control, runs } = experiment;
  return element(
    "section",
    { id: name },
    element("h2", {}, `${name} `, verdict(experiment.verdict)),
    element("p", {}, question),
    ...limits.map(({ text, reason, reference }) =>
      element(
        "p",
        { class: "limit" },
        `Known limit: ${text}; ${reason} (${reference})`,
      )
    ),
    element("ul", {}, ...reasons.map((reason) => element("li", {}, reason))),
    ...runs.map((run) => runSection(run, control)),
  );
}

function runSection(
  run: RunModel,
  { about, breaks }: ExperimentModel["control"],
): Html {
  const isControl = run.kind === "control";
  const shouldBe = ({ id }: Finding) =>
    !isControl ? "held" : breaks.includes(id) ? "broken" : "";
  return element(
    "section",
    {},
    element("h3", {}, isControl ? `Control: ${about}` : "Run"),
    element("p", {}, runLine(run)),
    table(
      ["claim", "verdict", "measured", "should be"],
      run.findings.map((one) => [...findingRow(one), shouldBe(one)]),
    ),
    element(
      "ol",
      { class: "events" },
      ...run.charts.marks.map(({ label, fromS, toS }) => {
        const end = toS - fromS < 0.05 ? "" : ` to ${toS.toFixed(1)}`;
        return element("li", {}, `${label}, at ${fromS.toFixed(1)}${end} s`);
      }),
    ),
    charts(run),
    details(run),
  );
}

function findingRow({ text, verdict: word, measured }: Finding) {
  return [text, verdict(word), measured];
}

function charts({ charts }: RunModel): Html {
  const { seconds, marks, perServer, errors, latencyMs, servers } = charts;
  const rows = [
    ["Answered calls by server", "calls/s", perServer, {}],
    ["Failed calls by status", "calls/s", errors, { firstColour: 7 }],
    ["Latency of answered calls", "ms", latencyMs, {}],
    ["Servers, as Envoy knows them", "servers", servers, { isStepped: true }],
  ] as const;
  return element(
    "div",
    { class: "charts" },
    ...rows.map(([title, unit, lines, style]) =>
      element(
        "div",
        { class: "chart" },
        element("h4", {}, title),
        Object.keys(lines).length === 0
          ? element("p", {}, "None.")
          : json({ unit, seconds, lines, marks, ...style }),
      )
    ),
  );
}

function details(run: RunModel): Html {
  return element(
    "details",
    {},
    element("summary", {}, "Settings, ledgers and the invariants"),
    pairs(run.settings),
    table(
      ["number of", "counted", "at least", "at most", ""],
      run.comparisons.map((line) => [
        line.what,
        line.count,
        line.min,
        line.max,
        verdict(line.agrees ? "held" : "broken"),
      ]),
    ),
    table(
      ["invariant", "verdict", "measured"],
      run.invariants.map(findingRow),
    ),
    run.measures.length === 0 ? "" : table(
      ["measured by events", "value", "after s"],
      run.measures.map(({ name, value, atMs }) => [
        name,
        rounded(value),
        rounded(atMs / 1000),
      ]),
    ),
  );
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
