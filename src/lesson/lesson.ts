/**
 * A lesson is a value: a starting file with a fault in it, a measurement that
 * shows the fault, the solution, and the sentences for common wrong answers.
 * Its text is a Markdown file of the same name beside it.
 */
import type { Claim, Experiment } from "../experiment/experiment.ts";
import type { Step } from "../core/yaml.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";

/** A lesson. */
export interface Lesson {
  /** Its place in the course, from 1. */
  readonly number: number;
  /** Lower case, with dashes, for example "panic". */
  readonly name: string;
  /** What it is about, as a question without its answer. */
  readonly title: string;
  /** Whether it is an incident: symptoms only, no instructions. */
  readonly isIncident?: boolean;
  /** How long a learner needs, in minutes, for agendas. */
  readonly minutes: number;
  /** Its text: Markdown. */
  readonly text: string;
  /** What makes the learner's file of envoy.yaml. */
  readonly start: readonly Edit[];
  /** What makes the solved file of the learner's file as it was at the start. */
  readonly solution: readonly Edit[];
  /** From a nudge to the field and its value. */
  readonly hints: readonly [string, string, string];
  /** What `check` measures on the learner's file. */
  readonly check: Check;
  /** Common wrong answers, the most specific first. */
  readonly mistakes: readonly Mistake[];
}

/** A change of a YAML text that leaves comments and order alone. */
export interface Edit {
  /** Where; list elements by their name or index. */
  readonly path: readonly Step[];
  /** What the field becomes; undefined removes it. */
  readonly value: unknown;
}

/** A measurement on the learner's file; it takes at most 12 s. */
export interface Check
  extends Pick<Experiment, "setup" | "load" | "events" | "isMeantToFail"> {
  readonly claims: readonly LessonClaim[];
}

/** A claim, and what a learner reads when it is broken. */
export interface LessonClaim extends Claim {
  /** What is still wrong, as one sentence; the measured value follows it. */
  readonly stillWrong: string;
}

/** A wrong answer that many give. */
export interface Mistake {
  /** For tests, for example "retries on the wrong route". */
  readonly name: string;
  /** Makes the wrong answer of the learner's file at the start; for its test. */
  readonly edits: readonly Edit[];
  /** Whether a file has it; asked only when a claim is broken. */
  readonly isIn: (config: EnvoyConfig) => boolean;
  /** What is still wrong and why, as one sentence. */
  readonly sentence: string;
}
