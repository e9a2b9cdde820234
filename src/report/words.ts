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

/** The head of the closing table, on a terminal and in a page. */
export const SUMMARY_HEAD = [
  "experiment",
  "verdict",
  "calls",
  "failed as meant",
  "lost",
  "lost in control",
  "it breaks",
] as const;

/** A row of the closing table, below its head. */
export function summaryRow(
  { name, verdict, control, runs: [run, again] }: ExperimentModel,
): readonly string[] {
  return [
    name,
    verdict,
    ...[run?.calls, run?.failedAsMeant, run?.lost, again?.lost]
      .map((count) => String(count ?? "-")),
    again === undefined ? "not run" : control.breaks.join(", "),
  ];
}
