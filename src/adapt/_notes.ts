/** Collects what a local run replaces or leaves out, one sentence each. */
import { printable } from "../core/printable.ts";
import type { Fields } from "../core/yaml.ts";

/** A file can have names without end. */
const LINE_UNITS_MAX = 300;

/** The sentences, in the order in which they were noted. */
export class Notes {
  readonly lines: string[] = [];

  /** Notes a sentence once. */
  add(of: string, what: string): void {
    const line = printable(`${of}: ${what}`, LINE_UNITS_MAX);
    if (!this.lines.includes(line)) this.lines.push(line);
  }

  /** Removes those of these fields that are set, in place, and notes them. */
  leaveOut(fields: Fields, names: readonly string[], of: string): void {
    const found = names.filter((name) => Object.hasOwn(fields, name));
    for (const name of found) delete fields[name];
    if (found.length > 0) this.add(of, `without ${found.join(", ")}`);
  }
}
