/** Explains why Envoy refused a configuration, naming the field. */
import { Failure } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { at, type Fields, fieldsOf, type Step } from "../core/yaml.ts";

/** Envoy's complaint may quote a whole configuration. */
const COMPLAINT_UNITS_MAX = 200;

/** A place and what is wrong there. */
const DETAIL_UNITS_MAX = 400;

/** A quoted value must leave room for what is wrong with it. */
const VALUE_UNITS_MAX = 120;

/** A place in a configuration. */
export type Path = readonly Step[];

/**
 * The failure of an Envoy that refused its configuration.
 *
 * @param lines What it printed, in order.
 * @param config What it was given.
 * @param name The file that the configuration came from.
 * @returns Undefined if it ended for another reason.
 */
export function refusalOf(
  lines: readonly string[],
  config: unknown,
  name: string,
): Failure | undefined {
  const complaint = complaintOf(lines);
  if (complaint === undefined) return undefined;
  const [, address, reason] =
    /^cannot bind '?([^']*?)'?: (.*)/.exec(complaint) ?? [];
  if (reason === undefined) {
    const { words } = detailOf(complaint, config);
    return new Failure(
      "environment",
      `Envoy refuses ${JSON.stringify(name)}: ${words}; fix it there`,
    );
  }
  const words = printable(`${address}: ${reason}`, DETAIL_UNITS_MAX);
  return new Failure(
    "environment",
    `Envoy cannot listen on ${words}; ` +
      (/in use/.test(reason)
        ? "stop what uses it or choose another port"
        : "choose another address or port"),
  );
}

/** What is wrong with a configuration, and where. */
export interface Refusal {
  /** As in: cluster "a", field type is "B": "B" is not a valid value */
  readonly words: string;
  /** Undefined if the place is not known. */
  readonly path: Path | undefined;
}

/**
 * Why Envoy refused a configuration that it was to validate.
 *
 * @param lines What it printed, in order.
 * @param config What it was given.
 * @returns Undefined if it ended for another reason.
 */
export function refusalIn(
  lines: readonly string[],
  config: unknown,
): Refusal | undefined {
  const complaint = complaintOf(lines);
  return complaint === undefined ? undefined : detailOf(complaint, config);
}

/** A log line that quotes a complaint: at a start, or in a validation. */
const CITED =
  /^.*?\[critical\].*? error (?:`|initializing configuration '.*?': )/;

const CONSTRAINT = /Proto constraint validation failed \((.*)\)/;

/**
 * Envoy's complaint about its configuration, on one line. Envoy may first print
 * the message that it is about, over thousands of lines.
 */
function complaintOf(lines: readonly string[]): string | undefined {
  const first = lines.findIndex((line) => CITED.test(line));
  if (first < 0) return undefined;
  const [, constraint] = lines.map((line) => CONSTRAINT.exec(line))
    .findLast((found) => found !== null) ?? [];
  if (constraint !== undefined) return oneLine(constraint);
  const [complaint = ""] = lines.slice(first).join("\n").replace(CITED, "")
    .split("` initializing config");
  return oneLine(complaint)
    .replace(/\): \{.*/, ")") // The configuration as JSON.
    .replace(/^.*?INVALID_ARGUMENT: (.*)\).*/, "$1")
    .replace(/^Error: |\.$/g, "");
}

/** Envoy puts extra spaces and debug marks into what it quotes. */
function oneLine(text: string): string {
  return text.replace(/goo\.gle\/debug\w+/g, "").replace(/\s+/g, " ").trim();
}

/** The complaint, in our words where its kind is known. */
function detailOf(complaint: string, config: unknown): Refusal {
  const { path, words } = placedOf(complaint, config);
  return { path, words: printable(words, DETAIL_UNITS_MAX) };
}

function placedOf(complaint: string, config: unknown): Refusal {
  const [, written, what = ""] =
    /^invalid JSON in \S+?(?: @ (\S+): .*?)?, near \S+ \(offset \d+\): (.*)/
      .exec(complaint) ?? [];
  if (what !== "") {
    const steps = (written ?? "").replaceAll(".<any>", "").split(/[.[\]]+/)
      .filter((step) => step !== "");
    if (what.includes("already been set")) {
      // Envoy reads fields in any order, so it names now one, now the other.
      const path = steps.slice(0, -1);
      const names = Object.keys(fieldsOf(at(config, ...path))).join(", ");
      const words = `${placeOf(path, config)}: of ${names}, two exclude each ` +
        "other";
      return { path, words };
    }
    const [, field] = /^no such field: '(.*)'/.exec(what) ?? [];
    const path = field === undefined ? steps : [...steps, field];
    const words = field === undefined
      ? `${placeOf(path, config)}${valueAt(path, config)}: ${what}`
      : `${placeOf(path, config)}: there is no such field`;
    return { path, words };
  }
  const [, kind, value] =
    /^(unknown enum value:|could not find @type) '(.*)'/.exec(complaint) ?? [];
  if (value !== undefined) {
    const [found] = leavesOf(config).filter((leaf) => leaf.value === value);
    const place = found === undefined ? "" : `${placeOf(found.path, config)}: `;
    const what = kind?.startsWith("could")
      ? "type that Envoy knows"
      : "valid value";
    return {
      path: found?.path,
      words: `${place}${shown(value)} is not a ${what}`,
    };
  }
  if (/Error\.|^field: /.test(complaint)) {
    return constraintOf(complaint, config);
  }
  const path = cited(complaint, config);
  const words = printable(complaint, COMPLAINT_UNITS_MAX);
  return {
    path,
    words: path === undefined ? words : `${placeOf(path, config)}: ${words}`,
  };
}

/**
 * The violated constraint of a field, as in "AValidationError.B: embedded
 * message failed validation | caused by BValidationError.C[0]: value is
 * required".
 */
function constraintOf(complaint: string, config: unknown): Refusal {
  const parts = complaint.split(" | caused by ").map((part) =>
    /^(?:(\w+)ValidationError\.|field: ")(\w+)(?:\[([^\]]*)\])?"?(?::|, reason:) (.*)/
      .exec(part)?.slice(1) ?? []
  );
  const names = parts.flatMap(([, name, index]) =>
    [name, index].filter((step) => step !== undefined)
  );
  if (names.length === 0) {
    return {
      path: undefined,
      words: printable(complaint, COMPLAINT_UNITS_MAX),
    };
  }
  const [type] = parts[0] ?? [];
  const reason = parts.at(-1)?.[3] ?? complaint;
  const isMissing = /required|at least 1 /.test(reason);
  const roots = type === "Bootstrap" ? [[]] : leavesOf(config)
    .filter(({ path, value }) =>
      path.at(-1) === "@type" && String(value).endsWith(`.${type}`)
    )
    .map(({ path }) => path.slice(0, -1));
  const paths = roots.map((root) => pathOf(names, root, config))
    .filter((path) => {
      const value = at(config, ...path) ?? "";
      return roots.length === 1 || (String(value) === "") === isMissing &&
          at(config, ...path.slice(0, -1)) !== undefined;
    });
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    const field = placeOf(pathOf(names, [], undefined), undefined);
    return {
      path: undefined,
      words: `${type ?? "an extension"}, ${field}: ${reason}`,
    };
  }
  return {
    path,
    words: `${placeOf(path, config)}${valueAt(path, config)}: ${reason}`,
  };
}

/** A path from C++ names: "Http2Options" is http2_options. */
function pathOf(names: Path, root: Path, config: unknown): Path {
  return names.reduce<Path>((path, name) => {
    const plain = (key: Step) => String(key).replaceAll("_", "").toLowerCase();
    const known = Object.keys(fieldsOf(at(config, ...path)))
      .find((key) => plain(key) === plain(name));
    const snake = String(name).replace(/\B[A-Z]/g, "_$&").toLowerCase();
    return [...path, known ?? snake];
  }, root);
}

/**
 * The place of a value that the complaint quotes, as in "bad address: nowhere"
 * or "unknown cluster 'x'", if it is unambiguous.
 */
function cited(complaint: string, config: unknown): Path | undefined {
  if (/duplicate/i.test(complaint)) return undefined; // There are two places.
  const leaves = leavesOf(config);
  const found = [...complaint.matchAll(/(?<!\w)'([^']+)'|: (\S+?)\.?(?= |$)/g)]
    .map(([, quoted, last]) =>
      leaves.filter(({ value }) => value === (quoted ?? last))
    ).find(({ length }) => length > 0) ?? [];
  if (found.length === 1) return found[0]?.path;
  const key = complaint.split(/\W+/).find((word) =>
    found.some(({ path }) => path.at(-1) === word)
  );
  return found.find(({ path }) => path.at(-1) === key)?.path;
}

interface Leaf {
  readonly path: Path;
  readonly value: unknown;
}

/** All scalar values, and addresses as "host:port". */
function leavesOf(value: unknown, path: Path = []): readonly Leaf[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const { address, port_value } = value as Fields;
  const leaves = Object.entries(value)
    .flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
  return port_value === undefined
    ? leaves
    : [{ path, value: `${address}:${port_value}` }, ...leaves];
}

/** For example: cluster "grpc-server", field health_checks[0].interval */
function placeOf(path: Path, config: unknown): string {
  const elements = path.flatMap((_, index) => {
    const list = path[index - 1];
    const name = at(config, ...path.slice(0, index + 1), "name");
    return typeof name === "string" && typeof list === "string" &&
        Array.isArray(at(config, ...path.slice(0, index)))
      ? [{ index, words: `${singular(list)} "${name}"` }]
      : [];
  });
  const last = elements.at(-1);
  const field = path.slice((last?.index ?? -1) + 1)
    .map((step) => /^\d+$/.test(String(step)) ? `[${step}]` : `.${step}`)
    .join("").replace(/^\./, "");
  const words = elements.length > 2 ? [elements[0], last] : elements;
  return [
    ...words.map((element) => element?.words),
    ...(field === "" ? [] : [`field ${field}`]),
  ].join(", ");
}

function singular(list: string): string {
  return list.replace(/s$/, "").replaceAll("_", " ");
}

function valueAt(path: Path, config: unknown): string {
  const value = at(config, ...path);
  return value === undefined || typeof value === "object"
    ? ""
    : ` is ${shown(value)}`;
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value), VALUE_UNITS_MAX);
}
