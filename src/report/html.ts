/** The report of experiments as a page. */
import {
  box,
  type Content,
  element,
  folded,
  type Html,
  page,
  rounded,
  table,
  verdict,
} from "../core/page.ts";
import type { Finding } from "../experiment/conduct.ts";
import type { Verdict } from "../experiment/experiment.ts";
import { CHART_STYLE } from "./chart.ts";
import type { ExperimentModel, ReportModel, RunModel } from "./model.ts";
import { pictures, sketches } from "./pictures.ts";
import { promisesLine, runLine } from "./words.ts";

const STYLE = `${CHART_STYLE}
.contents { display: none; }
.contents a { color: var(--quiet); }
@media screen and (min-width: 1300px) {
  main { grid-template-columns: 13rem minmax(0, 1fr); column-gap: 2.4rem; }
  main > * { grid-column: 2; }
  .contents { display: block; grid-column: 1; }
  .contents ol { position: sticky; top: 1.6rem; overflow: auto;
    max-height: calc(100vh - 3rem); }
}
.overview { display: flex; gap: 0.6rem; align-items: center; }
.overview span { white-space: nowrap; }
@media (max-width: 800px) {
  .stacked th { display: none; }
  .stacked tr { display: flex; flex-wrap: wrap; gap: 0.1rem 0.8rem;
    padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .stacked tr:first-child { display: none; }
  .stacked td { padding: 0; border: 0; }
  .stacked td:nth-child(1) { font-weight: 600; }
  .stacked td:nth-last-child(3) { flex: 1 1 60%; }
  .claims td:nth-child(1), .claims td:last-child { flex: 1 1 100%; }
  .stacked td:nth-last-child(2) { flex: none; }
  .claims td:nth-child(4)::before, .summary td:last-child::before {
    content: "in the control: "; color: var(--quiet); }
  .summary td { flex: 1 1 100%; }
  .summary td:nth-child(-n+2) { flex: none; }
}
main > section { display: grid; gap: 0.8rem; padding-top: 0.8rem;
  grid-template-columns: minmax(0, 1fr); border-top: 2px solid var(--ink);
  margin-top: 2.4rem; scroll-margin-top: 1rem; }
section h2 { margin: 0; display: flex; gap: 0.3rem 1.2rem; flex-wrap: wrap; }
.events { display: flex; flex-wrap: wrap; gap: 0 1.2rem; counter-reset: event; }
.events li { counter-increment: event; }
.events li::before { content: counter(event) " "; font-weight: 700; }
`;

/** Makes the page: what holds, then each experiment, then where it was run. */
export function reportHtml({ info, experiments }: ReportModel): string {
  const link = (name: string) => element("a", { href: `#${name}` }, name);
  return page("Experiments", [
    element("h1", {}, promisesLine(experiments)),
    element(
      "nav",
      {
        class: "contents",
        "aria-label": "Experiments",
        // Beside all that stands below each other; more rows would leave gaps.
        style: `grid-row: 1 / span ${experiments.length + 4}`,
      },
      element(
        "ol",
        {},
        ...experiments.map(({ name, verdict: word }) =>
          element("li", {}, verdict(word, ""), link(name))
        ),
      ),
    ),
    element(
      "p",
      { class: "hint" },
      experiments[0]?.file === undefined
        ? "Each experiment runs as it is, where the promise must hold, and as " +
          "a control without what protects it, where it must break."
        : `The promises of envoy.yaml, measured with ${experiments[0].file}.`,
      info.isInterrupted ? " This invocation was interrupted." : "",
    ),
    info.replaced === undefined ? "" : folded(
      "What was replaced in the file for a run on this machine",
      element("ul", {}, ...info.replaced.map((one) => element("li", {}, one))),
    ),
    box(
      "stacked summary",
      table(
        ["promise", "", "question", "as it is", "in the control"],
        experiments.map((experiment) => [
          link(experiment.name),
          verdict(experiment.verdict),
          experiment.question,
          ...overview(experiment),
        ]),
      ),
    ),
    ...experiments.map(experimentSection),
    folded(
      "The machine, versions, and how to repeat this",
      table(
        ["", ""],
        Object.entries({
          written: info.writtenAt,
          stack: info.stack,
          seed: info.seed,
          ...info.machine,
          ...info.versions,
          "to repeat": element("code", {}, info.command),
        }),
      ),
    ),
  ], STYLE);
}

function experimentSection(experiment: ExperimentModel): Html {
  const { name, question, limits, reasons, runs, controls } = experiment;
  const about = [undefined, ...controls.map(({ about }) => about)];
  return element(
    "section",
    { id: name },
    element("h2", {}, name, verdict(experiment.verdict)),
    element("p", { class: "lede" }, question),
    reasons.length === 0 ? "" : element(
      "ul",
      { class: experiment.verdict === "broken" ? "faults" : "" },
      ...reasons.map((reason) => element("li", {}, reason)),
    ),
    ...limits.map(({ text, reason, reference }) =>
      element(
        "p",
        { class: "limit" },
        `Known limit: ${text}; ${reason} (${reference})`,
      )
    ),
    box("pair", ...runs.slice(0, 2).map((run, at) => head(run, about[at]))),
    ...pictures(runs.slice(0, 2)),
    claims(experiment),
    ...further(experiment),
    folded("Settings, counts and invariants", ...details(runs)),
  );
}

/** The claims, and what was measured as it is and in the first control. */
function claims(experiment: ExperimentModel): Html {
  const { runs: [run, again], controls: [control] } = experiment;
  const ofControl = ({ id }: Finding): readonly Content[] => {
    const found = again?.findings.find((one) => one.id === id);
    return found === undefined ? ["not run"] : [
      control?.breaks.includes(id)
        ? mustBreak([found.verdict], experiment)
        : verdict("as-it-must", found.verdict),
      found.measured,
    ];
  };
  return box(
    "stacked claims",
    table(
      ["claim", "", "measured", "in the control", "measured there"],
      (run?.findings ?? []).map((one) => [
        one.text,
        verdict(one.verdict),
        one.measured,
        ...ofControl(one),
      ]),
    ),
  );
}

/** The further controls, and the claims that must break in each. */
function further(experiment: ExperimentModel): readonly Html[] {
  const { controls, runs } = experiment;
  if (controls.length <= 1) return [];
  const pictures = sketches(runs);
  return [box(
    "stacked",
    table(
      ["further control", "", "claim", "", "measured there"],
      controls.flatMap(({ about, breaks }, at) =>
        at === 0 ? [] : breaks.map((id) => {
          const found = runs[at + 1]?.findings.find((one) => one.id === id);
          return [
            about,
            pictures[at + 1] ?? "",
            found?.text ?? id,
            found === undefined
              ? "not run"
              : mustBreak([found.verdict], experiment),
            found?.measured ?? "",
          ];
        })
      ),
    ),
  )];
}

/** To break is what a control is for; not to is what is wrong. */
function mustBreak(
  found: readonly (Verdict | undefined)[],
  { verdict: whole }: ExperimentModel,
): Html {
  if (found.every((one) => one === "broken")) {
    return verdict("as-it-must", "breaks, as it must");
  }
  return found.includes("unknown")
    ? verdict("unknown")
    : verdict(whole === "broken" ? "failed" : "unknown", "does not break");
}

/** The run and its first control in a picture each, and how all ended. */
function overview(experiment: ExperimentModel): readonly Content[] {
  const { runs: [run, ...again], controls } = experiment;
  const lost = run?.lost ?? 0;
  const verdicts = again.flatMap(({ findings }, at) =>
    (controls[at]?.breaks ?? []).map((id) =>
      findings.find((found) => found.id === id)?.verdict
    )
  );
  const words = [
    element("span", lost > 0 ? { class: "wrong" } : {}, `${lost} lost`),
    mustBreak(verdicts, experiment),
  ];
  const cells = sketches(experiment.runs.slice(0, 2)).map((picture, at) =>
    box("overview", picture, words[at] ?? "")
  );
  return [cells[0] ?? "", cells[1] ?? "not run"];
}

/** What a run is, how it went, and what happened in it. */
function head(run: RunModel, about: string | undefined): Html {
  return element(
    "div",
    {},
    element(
      "h3",
      {},
      about === undefined ? "As it is" : `Control: ${about}`,
    ),
    element("p", { class: "hint" }, runLine(run)),
    element(
      "ol",
      { class: "events" },
      ...run.charts.marks.map(({ label, fromS, toS }) => {
        const when = toS - fromS < 0.05
          ? `at ${fromS.toFixed(1)}`
          : `from ${fromS.toFixed(1)} to ${toS.toFixed(1)}`;
        return element("li", {}, `${label}, ${when} s`);
      }),
    ),
  );
}

function details(runs: readonly RunModel[]): readonly Html[] {
  const names = runs.map((_, at) =>
    at === 0 ? "as it is" : at === 1 ? "control" : `control ${at}`
  );
  const settings = runs.map(({ settings }) => settings);
  const ofAll = <T>(rowsOf: (run: RunModel) => readonly T[]) =>
    runs.flatMap((run, at) =>
      rowsOf(run).map((row) => [names[at] ?? "", row] as const)
    );
  return [
    table(
      ["setting", ...runs.map((_, at) => names[at] ?? "")],
      Object.keys(settings[0] ?? {}).map((name) => [
        name,
        ...settings.map((one) => one[name] ?? ""),
      ]),
    ),
    table(
      ["run", "number of", "counted", "at least", "at most", ""],
      ofAll(({ comparisons }) => comparisons).map(([name, line]) => [
        name,
        line.what,
        line.count,
        line.min,
        line.max,
        verdict(line.agrees ? "held" : "broken"),
      ]),
    ),
    table(
      ["run", "invariant", "", "measured"],
      ofAll(({ invariants }) => invariants).map(([name, one]) => [
        name,
        one.text,
        verdict(one.verdict),
        one.measured,
      ]),
    ),
    table(
      ["run", "measured by events", "value", "after s"],
      ofAll(({ measures }) => measures).map(([name, one]) => [
        name,
        one.name,
        rounded(one.value),
        rounded(one.atMs / 1000),
      ]),
    ),
  ];
}
