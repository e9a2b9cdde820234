/** Judges a learner's file by measurement. */
import { Failure } from "../core/errors.ts";
import { type Finding, findingsOf } from "../experiment/conduct.ts";
import { invariants } from "../experiment/invariants.ts";
import type { Progress, RunOptions } from "../experiment/run.ts";
import { runPlan } from "../experiment/run.ts";
import type { StackFactory } from "../experiment/stacks.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import { NotHealthy } from "../stack/healthy.ts";
import type { Lesson } from "./lesson.ts";

/** A healthy start takes two seconds; a learner waits for the rest. */
const HEALTHY_LIMIT_MS = 8000;

/** What came of a check. */
export interface Outcome {
  /** `unclear`: the machine was too busy, or too little was measured. */
  readonly verdict: "solved" | "wrong" | "unclear";
  /** What is said to the learner. */
  readonly sentence: string;
  /** What was measured: the lesson's claims, and what else did not hold. */
  readonly findings: readonly Finding[];
}

/** How a file is judged. */
export interface JudgeOptions
  extends
    Pick<RunOptions, "stacks" | "signal">,
    Partial<Pick<RunOptions, "watchDisturbance">> {
  /** The file's name, for messages. */
  readonly name: string;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Measures what a lesson checks, with a learner's file.
 *
 * @param text The file.
 * @throws {Failure} `environment` when the file is not YAML, lacks a part that
 * the stack needs, or is refused by Envoy; `interrupted`.
 */
export async function judgeFile(
  { check, mistakes }: Lesson,
  text: string,
  options: JudgeOptions,
): Promise<Outcome> {
  const { name, signal } = options;
  const config = parseEnvoyConfig(text, name);
  const wrong: Wrong = (sentence, findings) => ({
    verdict: "wrong",
    sentence: mistakes.find(({ isIn }) => isIn(config))?.sentence ?? sentence,
    findings,
  });
  const interrupted = () =>
    new Failure(
      "interrupted",
      `interrupted before anything was judged; ${name} is as it was`,
    );
  try {
    const history = await runPlan(check, {
      onProgress: () => {},
      ...options,
      stacks: impatient(options.stacks),
      seed: 1,
      base: { config, name },
    });
    if (history.isInterrupted) throw interrupted();
    return concluded(
      check.claims,
      findingsOf(check.claims, history),
      findingsOf(invariants(check.setup, false), history),
      wrong,
    );
  } catch (error) {
    if (signal.aborted) throw interrupted();
    if (error instanceof NotHealthy) return wrong(error.message, []);
    throw error;
  }
}

/** A file with which no server becomes healthy is common here. */
function impatient(stacks: StackFactory): StackFactory {
  return {
    ...stacks,
    start: (options) =>
      stacks.start({ ...options, healthyLimitMs: HEALTHY_LIMIT_MS }),
  };
}

/** The outcome of a wrong answer, with its mistake's sentence if it has one. */
type Wrong = (sentence: string, findings: readonly Finding[]) => Outcome;

/** Sums up the findings; pure. */
export function concluded(
  claims: Lesson["check"]["claims"],
  findings: readonly Finding[],
  invariants: readonly Finding[],
  wrong: Wrong,
): Outcome {
  const broken = findings.find(({ verdict }) => verdict === "broken");
  if (broken !== undefined) {
    const { stillWrong = broken.text } = claims.find(({ id }) =>
      id === broken.id
    ) ?? {};
    return wrong(`${stillWrong}: ${broken.measured}`, findings);
  }
  const beside = invariants.find(({ verdict }) => verdict === "broken");
  if (beside !== undefined) {
    return wrong(
      `The lesson's own claims hold, but not that ${beside.text}: ` +
        beside.measured,
      [...findings, beside],
    );
  }
  const unclear = [...findings, ...invariants]
    .find(({ verdict }) => verdict === "unknown");
  if (unclear !== undefined) {
    return {
      verdict: "unclear",
      sentence: `Cannot tell whether ${unclear.text}: ${unclear.measured}; ` +
        "try again when the machine has less to do",
      findings: findings.includes(unclear) ? findings : [...findings, unclear],
    };
  }
  return { verdict: "solved", sentence: "Solved", findings };
}
