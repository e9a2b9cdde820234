/**
 * Command-line flags. A flag is one row; parsing, `--help` and the typed
 * configuration all come from the row.
 */
import { parseArgs } from "node:util";
import { Failure, messageOf } from "./errors.ts";
import { nearest } from "./nearest.ts";

export {
  hostAndPort,
  oneOf,
  port,
  positiveNumber,
  wholeNumber,
  words,
} from "./values.ts";

/** One flag that takes a value. */
export interface ValueFlag<T> {
  /** The name on the command line, without the dashes. */
  readonly name: string;
  /** What the value is, in capitals: its unit if it has one, as in `MILLIS`. */
  readonly placeholder: string;
  /** One line of help, including what special values mean. */
  readonly help: string;
  /** The value when neither the flag nor the environment gives one. */
  readonly default: T;
  /** An environment variable that is read when the flag is not given. */
  readonly env?: string;
  /** Parses the value. @throws {RangeError} "must be …". */
  readonly parse: (text: string) => T;
}

/** A flag without a value. */
export interface SwitchFlag {
  readonly name: string;
  readonly help: string;
  readonly switch: true;
}

type Row = ValueFlag<unknown> | SwitchFlag;

/** A program's rows, by the name of the value in its configuration. */
export type FlagRows = Readonly<Record<string, Row>>;

/** The configuration: a value for each row. */
export type FlagValues<R extends FlagRows> = {
  readonly [K in keyof R]: R[K] extends ValueFlag<infer T> ? T : boolean;
};

/** A parsed command line. */
export interface ParsedFlags<R extends FlagRows> {
  readonly values: FlagValues<R>;
  readonly positionals: readonly string[];
  /** Whether `--help` was given; then nothing else was checked. */
  readonly help: boolean;
}

function isSwitch(row: Row): row is SwitchFlag {
  return "switch" in row;
}

/**
 * Reads a command line.
 *
 * @param rows The flags that exist.
 * @param argv The arguments, without the program.
 * @param options `env` looks up a variable (default: none is read); one that is
 * empty counts as not set;
 * `positionalsMax` is how many words may stand beside flags (default 0).
 * @throws {Failure} `usage`, with one line for every bad flag.
 */
export function parseFlags<R extends FlagRows>(
  rows: R,
  argv: readonly string[],
  options: {
    readonly env?: (name: string) => string | undefined;
    readonly positionalsMax?: number;
  } = {},
): ParsedFlags<R> {
  const byName = new Map(Object.values(rows).map((row) => [row.name, row]));
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries([
      ...[...byName.values()].map((row) =>
        [row.name, { type: isSwitch(row) ? "boolean" : "string" }] as const
      ),
      ["help", { type: "boolean", short: "h" }] as const,
    ]),
  });
  const given = new Map<string, string | true>();
  const positionals: string[] = [];
  const problems: string[] = [];
  let help = false;
  // The word most likely is a bad flag's value.
  let valueAt = -1;
  let unknownAt = -1;
  for (const token of tokens) {
    const isValue = token.index === valueAt;
    if (token.kind === "positional" && !isValue) positionals.push(token.value);
    if (token.kind !== "option") continue;
    const row = byName.get(token.name);
    if (token.name === "help") help = true;
    else if (row === undefined) {
      // "-p80" is parsed as three flags, but it is one mistake.
      if (token.index === unknownAt) continue;
      problems.push(
        unknownFlag(token.rawName, [...byName.keys(), "help", "version"]),
      );
      unknownAt = token.index;
      if (token.value === undefined) valueAt = token.index + 1;
    } else if (given.has(token.name)) {
      problems.push(`--${token.name} is given twice; give it once`);
    } else if (isSwitch(row)) {
      if (token.value === undefined) given.set(token.name, true);
      else problems.push(`--${token.name} takes no value: "${token.value}"`);
    } else if (token.value === undefined) {
      problems.push(`--${token.name} needs a value: ${row.placeholder}`);
    } else if (!token.inlineValue && token.value.startsWith("--")) {
      problems.push(
        `--${token.name} needs a value: ${row.placeholder}, not ${token.value}`,
      );
      valueAt = token.index + 2;
    } else given.set(token.name, token.value);
  }
  const positionalsMax = options.positionalsMax ?? 0;
  for (const word of positionals.slice(positionalsMax)) {
    problems.push(`"${word}" is not understood; flags start with "--"`);
  }
  const values = help ? {} : readValues(rows, given, options.env, problems);
  if (problems.length > 0 && !help) {
    throw new Failure(
      "usage",
      [...problems, "--help lists the flags"].join("\n"),
    );
  }
  return { values: values as FlagValues<R>, positionals, help };
}

function readValues(
  rows: FlagRows,
  given: ReadonlyMap<string, string | true>,
  env: ((name: string) => string | undefined) | undefined,
  problems: string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(rows)) {
    if (isSwitch(row)) {
      values[key] = given.has(row.name);
      continue;
    }
    const fromEnv = row.env === undefined ? undefined : env?.(row.env);
    const text = given.get(row.name) ?? (fromEnv || undefined);
    if (typeof text !== "string") {
      values[key] = row.default;
      continue;
    }
    const source = given.has(row.name) ? `--${row.name}` : row.env;
    try {
      values[key] = row.parse(text);
    } catch (error) {
      problems.push(`${source} ${messageOf(error)}: "${text}"`);
    }
  }
  return values;
}

function unknownFlag(rawName: string, names: readonly string[]): string {
  const near = nearest(rawName.replace(/^-+/, ""), names);
  const hint = near === undefined ? "" : `; did you mean --${near}?`;
  return `${rawName} is not a flag${hint}`;
}

/**
 * The text that `--help` prints.
 *
 * @param usage The first line, for example "server [flags]".
 * @param about What the program does, in a sentence or two.
 */
export function helpText(
  usage: string,
  about: string,
  rows: FlagRows,
): string {
  const lines = Object.values(rows).map((row) => {
    if (isSwitch(row)) return [`--${row.name}`, row.help] as const;
    const sources = [
      ...(row.default === "" || row.default === undefined ? [] : [row.default]),
      ...(row.env === undefined ? [] : [`or ${row.env}`]),
    ];
    const normally = sources.length === 0 ? "" : ` [${sources.join(", ")}]`;
    return [`--${row.name} ${row.placeholder}`, row.help + normally] as const;
  });
  lines.push(["--version", "Print the version and exit"]);
  lines.push(["--help", "Print this and exit"]);
  const width = Math.max(...lines.map(([left]) => left.length));
  return [
    `Usage: ${usage}`,
    "",
    about,
    "",
    "Flags:",
    ...lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
  ].join("\n");
}
