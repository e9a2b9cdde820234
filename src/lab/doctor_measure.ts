/** Measures what the doctor has found: the experiments of its rules, run. */
import { Failure, messageOf } from "../core/errors.ts";
import type { Diagnosis } from "../doctor/examine.ts";
import type { Measured, Measurement } from "../doctor/report.ts";
import { conduct } from "../experiment/conduct.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Base, RunOptions } from "../experiment/run.ts";

/** What the runs start from, and what was replaced in it. */
type OwnBase = Base & Pick<Measurement, "replaced">;

/** What the experiments are run with. */
export interface MeasureOptions extends
  Pick<RunOptions, "stacks" | "signal">,
  // Tests pass their own.
  Partial<Pick<RunOptions, "watchDisturbance">> {
  readonly catalogue: readonly Experiment[];
  /** Makes the configuration of the runs; may throw a Failure. */
  readonly base: () => OwnBase;
  /** Envoy's worker threads; undefined if they are not known. */
  readonly concurrency: number | undefined;
  /** Called with a line when an experiment begins, and for what is replaced. */
  readonly onLine: (line: string) => void;
}

/**
 * Runs the experiment of each rule that found something, once each.
 *
 * @returns What was measured, and with what. Where it could not be,
 * that is said there: a diagnosis does not depend on it.
 * @throws {Failure} `interrupted`.
 */
export async function measure(
  diagnoses: readonly Diagnosis[],
  options: MeasureOptions,
): Promise<Measurement> {
  const { catalogue, base, concurrency, onLine, signal, ...rest } = options;
  const names = new Set(diagnoses.map(({ rule }) => rule.experiment));
  const chosen = catalogue.filter(({ name }) => names.has(name));
  const found = new Map<string, Measured>();
  let own: OwnBase | undefined;
  for (const [index, experiment] of chosen.entries()) {
    const { name, setup, load } = experiment;
    onLine(
      `measuring ${index + 1} of ${chosen.length}: ${name}, ` +
        `${load.durationMs / 1000} s`,
    );
    try {
      if (own === undefined) {
        own = base();
        own.replaced.forEach((line) => onLine(`to measure, replaced: ${line}`));
      }
      const withWorkers = concurrency === undefined
        ? experiment
        : { ...experiment, setup: { ...setup, concurrency } };
      found.set(
        name,
        await outcomeOf(withWorkers, { ...rest, signal, base: own }),
      );
    } catch (error) {
      if (!(error instanceof Failure) && !signal.aborted) throw error;
      found.set(name, { verdict: "not run", sentence: messageOf(error) });
    }
    if (signal.aborted) {
      throw new Failure("interrupted", `interrupted while ${name} was run`);
    }
  }
  return { found, replaced: own?.replaced ?? [] };
}

async function outcomeOf(
  experiment: Experiment,
  options: Pick<RunOptions, "stacks" | "signal" | "base" | "watchDisturbance">,
): Promise<Measured> {
  const { verdict, reasons, promise } = await conduct(experiment, {
    ...options,
    seed: 1,
    onRun: () => {},
    onProgress: () => {},
  });
  const held = promise.findings.map(({ text, measured }) =>
    `${text}: ${measured}`
  );
  return {
    verdict,
    sentence: (reasons.length > 0 ? reasons : held).join("; "),
  };
}
