/** Texts that reports show on a terminal and on a page. */
import type { Outcomes } from "../experiment/judge.ts";
import type { ExperimentModel, RunModel } from "./model.ts";

/** How many calls there were, and how they ended. */
export function outcomeWords(
  { calls, failedAsMeant, lost }: Outcomes,
): string {
  const meant = failedAsMeant === 0 ? "" : `, ${failedAsMeant} failed as meant`;
  return `${calls} calls${meant}, ${lost} lost`;
}

/** Sums up a run in one line. */
export function runLine(
  { latencyMs, isInterrupted, ...run }: RunModel,
): string {
  const latencies = Object.entries(latencyMs).map(([name, valueMs]) =>
    `${name} ${valueMs?.toFixed(1) ?? "-"}`
  );
  return `${outcomeWords(run)}; latency in ms: ${latencies.join(", ")}` +
    (isInterrupted ? "; interrupted" : "");
}

/** Which controls there were not, and why. */
export function notRunWords(
  { file, controls, runs }: ExperimentModel,
): readonly string[] {
  return [
    ...controls.slice(runs.length - 1)
      .map(({ about }) => `The control was not run: ${about}`),
    ...(file === undefined ? [] : [
      `No control: this is about ${file}; without --config there is one, of ` +
      "envoy.yaml",
    ]),
  ];
}

/** What an experiment has changed in somebody's own file, if anything. */
export function changesWords(
  { file, runs: [run] }: ExperimentModel,
): readonly string[] {
  const changes = run?.settings[`changes of ${file}`];
  return file === undefined || changes === undefined || changes === "none"
    ? []
    : [`Measured with a change of ${file}: ${changes}`];
}

/** How many promises hold, and how many do not. */
export function promisesLine(experiments: readonly ExperimentModel[]): string {
  const count = (word: string) =>
    experiments.filter(({ verdict }) => verdict === word).length;
  const others = (["broken", "unknown"] as const)
    .map((word) => [count(word), word] as const)
    .filter(([number]) => number > 0)
    .map(([number, word]) => `, ${number} ${word}`);
  return `${count("held")} of ${experiments.length} promises held${
    others.join("")
  }`;
}
