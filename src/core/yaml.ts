/** Reads YAML and looks up values by path. */
import { type Document, parseDocument, stringify, visit } from "yaml";
import { Failure, messageOf } from "./errors.ts";
import { printable } from "./printable.ts";

/** The fields of a mapping, by name. */
export type Fields = Record<string, unknown>;

/** One step of a path: a field, an index, or the name of a list element. */
export type Step = string | number;

/** The YAML parser's summaries are shorter, unless they quote the text. */
const REASON_UNITS_MAX = 200;

/**
 * Reads one document. Aliases are expanded into copies: a change in one place
 * does not affect the others.
 *
 * @param text YAML.
 * @param name The file's name, for error messages.
 * @throws {Failure} `environment` when it is not YAML, is empty, or has several
 * documents.
 */
export function parseYaml(text: string, name: string): unknown {
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS") {
    throw cannotParse(name, "it has several documents; only one is supported");
  }
  if (error !== undefined) throw cannotParse(name, error);
  if (document.contents === null) throw cannotParse(name, "it is empty");
  try {
    return JSON.parse(JSON.stringify(document.toJS()));
  } catch (error) {
    throw cannotParse(name, unresolvedIn(document, text) ?? error);
  }
}

/** Where an alias has no anchor, which the parser does not say. */
function unresolvedIn(document: Document, text: string): string | undefined {
  let words: string | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return;
      const line = text.slice(0, alias.range?.[0]).split("\n").length;
      words = `"*${alias.source}" at line ${line} has no anchor ` +
        `"&${alias.source}" before it`;
      return visit.BREAK;
    },
  });
  return words;
}

function cannotParse(name: string, cause: unknown): Failure {
  const [summary = ""] = messageOf(cause).split("\n");
  const reason = printable(summary.replace(/:$/, ""), REASON_UNITS_MAX);
  return new Failure(
    "environment",
    `Cannot parse ${name}: ${reason}; correct it there`,
    { cause },
  );
}

/** The value as fields; empty if it is not a mapping. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Fields
    : {};
}

/** The value as a list of fields; empty if it is not a list. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** The value at a path; undefined if there is none. */
export function at(from: unknown, ...path: readonly Step[]): unknown {
  return path.reduce(
    (value, step) =>
      Array.isArray(value)
        ? value.find((one) => fieldsOf(one)["name"] === step) ??
          value[Number(step)]
        : fieldsOf(value)[step],
    from,
  );
}

/**
 * The mapping or list at a path, to be changed in place.
 *
 * @throws {TypeError} When there is none.
 */
export function partAt(from: unknown, ...path: readonly Step[]): Fields {
  const part = at(from, ...path);
  if (typeof part !== "object" || part === null) {
    throw new TypeError(`Cannot find ${path.join(".")}`);
  }
  return part as Fields;
}

/** Lines of a text, with the number of the first, from 1. */
export interface Excerpt {
  readonly line: number;
  readonly text: string;
}

/** A file may be one line of megabytes. */
const EXCERPT_LINE_UNITS_MAX = 400;

/**
 * The lines of the field whose key is at a place, with the comment above it.
 *
 * @param text YAML or JSON; a field that is not the first of its line is shown
 * with that line alone.
 * @param place Line and column, from 1.
 */
export function excerptFrom(
  text: string,
  { line, column }: { readonly line: number; readonly column: number },
): Excerpt {
  const lines = text.split(/\r?\n/);
  const before = (lines[line - 1] ?? "").slice(0, column - 1);
  const indent = /^\s*(?:- +)*["']?$/.test(before)
    ? before.replace(/["']$/, "").length
    : Infinity;
  let first = line;
  while (/^\s*#/.test(lines[first - 2] ?? "")) first -= 1;
  let last = line;
  for (const [index, one] of lines.slice(line).entries()) {
    const own = one.search(/\S/);
    // What follows tells whether it is still inside.
    if (own === -1 || one[own] === "#") continue;
    // A list's dashes and closing brackets may be as far left as their key.
    const isInside = own > indent ||
      (own === indent && /^[-}\]]/.test(one.slice(own)));
    if (!isInside) break;
    last = line + index + 1;
  }
  const chosen = lines.slice(first - 1, last);
  const indents = chosen.filter((one) => one.trim() !== "")
    .map((one) => one.search(/\S/));
  const least = Math.min(...indents);
  return {
    line: first,
    text: chosen.map((one) => {
      const shown = one.slice(least);
      return shown.length > EXCERPT_LINE_UNITS_MAX
        ? `${shown.slice(0, EXCERPT_LINE_UNITS_MAX)} …`
        : shown;
    }).join("\n"),
  };
}

/** A value as YAML. */
export function yamlOf(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 })
    .trimEnd();
}
