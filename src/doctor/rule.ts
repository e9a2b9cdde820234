/** The shape of the doctor's rules. */
import { printable } from "../core/printable.ts";
import type { Message, Place } from "./message.ts";
import type { Model } from "./model.ts";

/**
 * How bad a pitfall is: `wrong` loses or misleads calls whenever it matters,
 * `risky` does in a bad moment, and the rest is good to know.
 */
export type Severity = "wrong" | "risky" | "worth knowing";

/** One pitfall found in a configuration. */
export interface Finding {
  /** The field that has to change. */
  readonly place: Place;
  /** What it belongs to, as in `cluster "a"`. */
  readonly of: string;
  /** What is there now, as in "5s" or "not set". */
  readonly now: string;
}

/** What shows a pitfall that no experiment can show. */
export interface Instead {
  /** What to do or to look at, in one sentence without its end. */
  readonly instead: string;
}

/** A known pitfall, and how it is recognised. */
export interface Rule {
  readonly id: string;
  readonly severity: Severity;
  /** What goes wrong, in one sentence without its end. */
  readonly why: string;
  /** The smallest change, as YAML. */
  readonly change: string;
  /** The experiment in whose controls it shows, or what else shows it. */
  readonly experiment: string | Instead;
  /** Finds where the configuration has it. */
  readonly find: (model: Model) => readonly Finding[];
}

/** A name or a value in a finding leaves room for the sentence. */
const VALUE_UNITS_MAX = 100;

/** A name from a configuration, harmless and in quotes. */
export function quoted(name: string): string {
  return `"${printable(name, VALUE_UNITS_MAX)}"`;
}

/** The finding of a field, with its present value unless `now` says it. */
export function finding(
  of: string,
  message: Message,
  path: string,
  now = valueOf(message, path),
): Finding {
  return { of, place: message.where(path), now };
}

function valueOf(message: Message, path: string): string {
  const value = message.field(path)?.value;
  if (value === undefined) return "not set";
  return typeof value === "object" ? "set" : printable(
    typeof value === "string" ? `"${value}"` : String(value),
    VALUE_UNITS_MAX,
  );
}

/** A number of milliseconds as Envoy writes durations. */
export function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

/** What a finding belongs to, as in `cluster "a"`. */
export function ofCluster({ name }: { readonly name: string }): string {
  return `cluster ${quoted(name)}`;
}

/** What a finding belongs to, as in `route "a"`. */
export function ofRoute({ name }: { readonly name: string }): string {
  return `route ${quoted(name)}`;
}

/** What a finding belongs to, as in `listener "a"`. */
export function ofListener(listener: Message): string {
  return `listener ${quoted(listener.text("name") ?? "")}`;
}
