/** Reads YAML and looks up values by path. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from "yaml";
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

/**
 * The lines of the field at a path, with the comment above it; undefined if
 * there is none.
 *
 * @param text YAML that parseYaml() takes.
 */
export function excerptAt(
  text: string,
  path: readonly Step[],
): Excerpt | undefined {
  const document = parseDocument(text, { merge: true });
  let node: unknown = document.contents;
  let range: readonly [number, number] | undefined;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const found = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && key.value === step)
      : isSeq(node)
      ? node.items.find((one) => isMap(one) && one.get("name") === step) ??
        node.items[Number(step)]
      : undefined;
    if (found === undefined) return undefined;
    node = isPair(found) ? found.value : found;
    const first = rangeOf(isPair(found) ? found.key : found);
    const last = rangeOf(node) ?? first;
    if (first === undefined || last === undefined) return undefined;
    range = [first[0] ?? 0, last[1] ?? 0];
  }
  return range === undefined ? undefined : excerpt(text, range);
}

function rangeOf(node: unknown): readonly number[] | undefined {
  const isKnown = typeof node === "object" && node !== null && "range" in node;
  return isKnown ? node.range as readonly number[] : undefined;
}

function excerpt(text: string, [from, to]: readonly [number, number]): Excerpt {
  const lines = text.split("\n");
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length;
  let first = lineOf(from);
  const last = lineOf(to - 1);
  while (/^\s*#/.test(lines[first - 2] ?? "")) first -= 1;
  const chosen = lines.slice(first - 1, last);
  const indents = chosen.filter((line) => line.trim() !== "")
    .map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return {
    line: first,
    text: chosen.map((line) => line.slice(indent)).join("\n").trimEnd(),
  };
}
