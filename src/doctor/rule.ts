/** What a rule of the doctor is. */
import type { Model } from "./model.ts";

/** One pitfall that a configuration has. */
export interface Finding {
  /** The field, with the cluster or listener that it belongs to. */
  readonly field: string;
  /** What is there now, or that nothing is. */
  readonly now: string;
}

/** A known pitfall, and how it is recognised. */
export interface Rule {
  readonly id: string;
  /** What goes wrong, and what to write instead. */
  readonly why: string;
  /** The experiment that shows it. */
  readonly experiment: string;
  /** Where the configuration has it. */
  readonly find: (model: Model, services: readonly string[]) => Finding[];
}

/** A value as a finding shows it. */
export function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
