/** Renders the results of experiments for a terminal. */
import { tableLines } from "../core/table.ts";
import { type Colour, paint } from "../io/terminal.ts";
import type { Verdict } from "../experiment/experiment.ts";
import type { Finding } from "../experiment/conduct.ts";
import type { Progress } from "../experiment/run.ts";
import type { ExperimentModel } from "./model.ts";
import { changesWords, notRunWords, outcomeWords, runLine } from "./words.ts";

const COLOURS: Readonly<Record<Verdict, Colour>> = {
  held: "green",
  broken: "red",
  unknown: "yellow",
};

/** A verdict, coloured on a terminal. */
function verdictWord(verdict: Verdict): string {
  return paint(COLOURS[verdict], verdict.toUpperCase().padEnd(7));
}

/** One line of progress, for example "  3.0 s  900 calls  0 lost  3/3". */
export function progressLine(progress: Progress): string {
  const { elapsedMs, healthy, servers, event } = progress;
  const seconds = (elapsedMs / 1000).toFixed(1).padStart(6);
  if (event !== undefined) return `${seconds} s  * ${event}`;
  const health = healthy === undefined ? "" : `  ${healthy}/${servers} healthy`;
  return `${seconds} s  ${outcomeWords(progress)}${health}`;
}

/** A claim's verdict and what was measured. */
export function findingLine({ verdict, text, measured }: Finding): string {
  return `  ${verdictWord(verdict)}  ${text}: ${measured}`;
}

/** The result of one experiment. */
export function resultLines(experiment: ExperimentModel): readonly string[] {
  const { name, question, verdict, reasons, limits, controls, runs } =
    experiment;
  return [
    "",
    `${verdictWord(verdict)}  ${name}: ${question}`,
    ...runs.flatMap((run, at) => {
      const control = controls[at - 1];
      return [
        ...(control === undefined ? [] : [`  Control: ${control.about}`]),
        `  ${runLine(run)}`,
        ...run.findings
          .filter(({ id }) => control?.breaks.includes(id) ?? true)
          .map(findingLine),
        ...run.invariants.filter(({ verdict }) => verdict !== "held")
          .map(findingLine),
      ];
    }),
    ...notRunWords(experiment).map((words) => `  ${words}`),
    ...changesWords(experiment).map((words) => `  ${words}`),
    ...limits.map(({ text, reason, reference }) =>
      `  Known limit: ${text}; ${reason} (${reference})`
    ),
    ...(reasons.length === 0
      ? []
      : ["  Why:", ...reasons.map((reason) => `    ${reason}`)]),
  ];
}

/** The closing table over all experiments. */
export function summaryLines(
  experiments: readonly ExperimentModel[],
): readonly string[] {
  const head = [
    ...["experiment", "verdict", "calls", "failed as meant", "lost"],
    ...["lost in control", "it breaks"],
  ];
  const rows = experiments.map(
    ({ name, verdict, controls, runs: [run, again, ...further] }) => [
      name,
      verdict,
      ...[run?.calls, run?.failedAsMeant, run?.lost, again?.lost]
        .map((count) => String(count ?? "-")),
      again === undefined ? "not run" : controls.slice(0, 1 + further.length)
        .map(({ breaks }) => breaks.join(", ")).join("; "),
    ],
  );
  return ["", ...tableLines(head, rows)];
}
