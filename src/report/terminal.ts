/** The result of experiments as lines for a terminal. */
import { tableLines } from "../core/table.ts";
import { type Colour, paint } from "../io/terminal.ts";
import type { Verdict } from "../experiment/experiment.ts";
import type { Finding, JudgedRun, Result } from "../experiment/conduct.ts";
import { percentile } from "../experiment/judge.ts";
import type { Progress } from "../experiment/run.ts";

const COLOURS: Readonly<Record<Verdict, Colour>> = {
  held: "green",
  broken: "red",
  unknown: "yellow",
};

/** A verdict, coloured on a terminal. */
export function verdictWord(verdict: Verdict): string {
  return paint(COLOURS[verdict], verdict.toUpperCase().padEnd(7));
}

/** One line of progress, for example "  3.0 s  900 calls  0 lost  3/3". */
export function progressLine(progress: Progress): string {
  const { elapsedMs, calls, lost, healthy, servers, event } = progress;
  const seconds = (elapsedMs / 1000).toFixed(1).padStart(6);
  if (event !== undefined) return `${seconds} s  * ${event}`;
  const health = healthy === undefined ? "" : `  ${healthy}/${servers} healthy`;
  return `${seconds} s  ${calls} calls  ${lost} lost${health}`;
}

function findingLine({ verdict, text, measured }: Finding): string {
  return `  ${verdictWord(verdict)}  ${text}: ${measured}`;
}

function runLines({ history }: JudgedRun): readonly string[] {
  const { calls, load } = history;
  const well = calls.filter(({ status }) => status === "OK");
  const latencies = well.map(({ latencyMs }) => latencyMs);
  const percentiles = [50, 99, 100].map((percent) => {
    const valueMs = percentile(latencies, percent);
    const name = percent === 100 ? "max" : `p${percent}`;
    return `${name} ${valueMs === undefined ? "-" : valueMs.toFixed(1)}`;
  });
  return [
    `  ${calls.length} calls at ${load.ratePerS}/s, ${
      calls.length - well.length
    } lost; latency in ms: ${percentiles.join(", ")}`,
  ];
}

/** What became of one experiment. */
export function resultLines(result: Result): readonly string[] {
  const { experiment, promise, control, verdict, reasons } = result;
  const broken = new Set(experiment.control.breaks);
  return [
    "",
    `${verdictWord(verdict)}  ${experiment.name}: ${experiment.question}`,
    ...runLines(promise),
    ...promise.findings.map(findingLine),
    ...promise.invariants.filter(({ verdict }) => verdict !== "held")
      .map(findingLine),
    `  Control: ${experiment.control.about}`,
    ...(control === undefined ? ["  not run"] : [
      ...runLines(control),
      ...control.findings.filter(({ id }) => broken.has(id)).map(findingLine),
      ...control.invariants.filter(({ verdict }) => verdict !== "held")
        .map(findingLine),
    ]),
    ...(experiment.limits ?? []).map(({ text, reason, reference }) =>
      `  Known limit: ${text}; ${reason} (${reference})`
    ),
    ...(reasons.length === 0
      ? []
      : ["  Why:", ...reasons.map((reason) => `    ${reason}`)]),
  ];
}

/** The closing table over all experiments. */
export function summaryLines(results: readonly Result[]): readonly string[] {
  const rows = results.map(({ experiment, promise, control, verdict }) => {
    const { history } = promise;
    const lost = history.calls.filter(({ status }) => status !== "OK").length;
    const lostInControl = control?.history.calls
      .filter(({ status }) => status !== "OK").length;
    return [
      experiment.name,
      verdict,
      String(history.calls.length),
      String(lost),
      String(lostInControl ?? "-"),
      control === undefined ? "not run" : experiment.control.breaks.join(", "),
    ];
  });
  return [
    "",
    ...tableLines(
      ["experiment", "verdict", "calls", "lost", "in control", "it breaks"],
      rows,
    ),
  ];
}
