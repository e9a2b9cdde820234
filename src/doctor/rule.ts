/** The shape of the doctor's rules. */
import type { Model } from "./model.ts";

/** One pitfall found in a configuration. */
export interface Finding {
  /** The field, with the cluster or listener that it belongs to. */
  readonly field: string;
  /** Its present value, or that it has none. */
  readonly now: string;
}

/** A known pitfall, and how it is recognised. */
export interface Rule {
  readonly id: string;
  /** What goes wrong, and what to write instead. */
  readonly why: string;
  /** The experiment that shows it. */
  readonly experiment: string;
  /** Finds where the configuration has it. */
  readonly find: (model: Model, services: readonly string[]) => Finding[];
}

/** A value as a finding shows it. */
export function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
