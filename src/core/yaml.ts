/** Reading YAML, and addressing what was read by path. */
import { parseDocument } from "yaml";
import { Failure, messageOf } from "./errors.ts";
import { printable } from "./printable.ts";

/** Fields of a value that was read, looked up by name. */
export type Fields = Record<string, unknown>;

/** One step of a path: a field, a place in a list, or the name of an element. */
export type Step = string | number;

/** A parser's summary is shorter, unless it cites the text. */
const REASON_UNITS_MAX = 200;

/**
 * Reads one document. Aliases are taken apart: what is changed in one place
 * stays as it was in the others.
 *
 * @param text YAML.
 * @param name The file's name, for error messages.
 * @throws {Failure} `environment` when it is no YAML, empty, or several
 * documents.
 */
export function parseYaml(text: string, name: string): unknown {
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS") {
    throw cannotParse(name, "it has several documents, and only one is read");
  }
  if (error !== undefined) throw cannotParse(name, error);
  if (document.contents === null) throw cannotParse(name, "it is empty");
  try {
    return JSON.parse(JSON.stringify(document.toJS()));
  } catch (error) {
    throw cannotParse(name, error); // An alias without its anchor.
  }
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

/** The value as fields; empty if it is none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Fields
    : {};
}

/** The value as a list of fields; empty if it is none. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** What stands at a path; undefined if nothing does. */
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
 * The part at a path, fields or a list, to be changed in place.
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
