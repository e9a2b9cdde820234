/**
 * Reads a tree as a message of Envoy's API, by the rules of protobuf's JSON
 * form and the leniency of the parser that Envoy uses: both spellings of names,
 * enums by name in any case or by number, numbers and booleans as text, one
 * value in place of a list, lists in lists, null for a field that is not set.
 */
import { printable } from "../core/printable.ts";
import { nearest } from "../core/nearest.ts";
import {
  type Field,
  joined,
  Message,
  type Place,
  type Source,
} from "./message.ts";
import { fieldsOfType, type FieldType, valuesOfEnum } from "./schema.ts";
import {
  type Entry,
  type Node,
  type Scalar,
  scalarValue,
} from "./yaml_tree.ts";
import type { MapNode, ScalarNode } from "./yaml_tree.ts";

/** A value that Envoy refuses. */
export interface Problem {
  readonly place: Place;
  /** What is wrong with it, as a part of a sentence. */
  readonly what: string;
  /** The text that is wrong, if it is one. */
  readonly text: string;
}

/** A message, and what Envoy refuses in it. */
export interface Reading {
  readonly message: Message;
  readonly problems: readonly Problem[];
}

/** A value in a complaint leaves room for the complaint. */
const VALUE_UNITS_MAX = 60;

/** A file with everything wrong need not be listed to its end. */
const PROBLEMS_MAX = 100;

const WRAPPERS: Readonly<Record<string, string>> = {
  "google.protobuf.DoubleValue": "double",
  "google.protobuf.FloatValue": "float",
  "google.protobuf.Int64Value": "int64",
  "google.protobuf.UInt64Value": "uint64",
  "google.protobuf.Int32Value": "int32",
  "google.protobuf.UInt32Value": "uint32",
  "google.protobuf.BoolValue": "bool",
  "google.protobuf.StringValue": "string",
  "google.protobuf.BytesValue": "bytes",
};

/** Messages that are free JSON; their values are kept as they are. */
const FREE = new Set([
  "google.protobuf.Struct",
  "google.protobuf.Value",
  "google.protobuf.ListValue",
]);

/** Extensions may be wrapped in one of these; Envoy unwraps them. */
const TYPED_STRUCT = /^(?:xds|udpa)\.type\.v[13]\.TypedStruct$/;

/** A number, quoted or not; C++ reads more than JSON has. */
const NUMBER = /^([-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|0x[\da-f]+)$/i;

/** What the fields of a duration count. */
const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  seconds: 1000,
  nanos: 1e-6,
};

/** The numbers that each type can have. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
  uint64: [0, 2 ** 64],
};

/**
 * Reads a message.
 *
 * @param type Its full name, as in "envoy.config.bootstrap.v3.Bootstrap".
 * @param path The path of the message in the configuration.
 */
export function readMessage(
  node: Node,
  type: string,
  source: Source,
  path = "",
): Reading {
  const reader = new Reader(source);
  const message = reader.message(node, type, path) ??
    new Message(type, { path, source, offset: node.offset }, new Map());
  return { message, problems: reader.problems };
}

class Reader {
  readonly problems: Problem[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** @param isAny Whether it may have an "@type", which only an Any has. */
  message(
    node: Node,
    type: string,
    path: string,
    isAny = false,
  ): Message | undefined {
    const known = fieldsOfType(type);
    const place = this.#place(node, path);
    if (node.kind !== "map") {
      return this.#wrong(node, path, "is not a mapping of fields");
    }
    if (known === undefined) return new Message(type, place, new Map(), true);
    const fields = new Map<string, Field>();
    const oneofs = new Map<string, string>();
    for (const { key, offset, value } of node.entries) {
      const at = joined(path, key);
      const field = known.get(key);
      if (field === undefined) {
        if (isAny && key === "@type") continue;
        this.#noField(path, { key, offset }, [...known.keys()]);
        continue;
      }
      const read = this.#field(value, field, joined(path, field.name));
      if (read === undefined) continue;
      const other = field.oneof && oneofs.get(field.oneof);
      if (other !== undefined && other !== field.name && other !== "") {
        this.#problem({ path: at, source: this.#source, offset }, {
          what: `only one of it and "${other}" can be set`,
          text: key,
        });
      }
      if (field.oneof !== undefined) oneofs.set(field.oneof, field.name);
      fields.set(field.name, {
        place: { path: joined(path, field.name), source: this.#source, offset },
        value: read,
      });
    }
    return new Message(type, place, fields);
  }

  #field(
    node: Node,
    { type, form }: FieldType,
    path: string,
  ): Field["value"] | undefined {
    if (isNull(node) && type !== "google.protobuf.Value") return undefined;
    if (form === "one") return this.#one(node, type, path);
    if (form === "map") return this.#map(node, type, path);
    const fields: Field[] = [];
    for (const item of elementsOf(node)) {
      const at = `${path}[${fields.length}]`;
      // A null in a list is an element with nothing set.
      const value = isNull(item) && fieldsOfType(type) !== undefined
        ? new Message(type, this.#place(item, at), new Map())
        : this.#one(item, type, at);
      if (value !== undefined) {
        fields.push({ place: this.#place(item, at), value });
      }
    }
    return fields;
  }

  #map(node: Node, type: string, path: string): Field["value"] | undefined {
    if (node.kind !== "map") {
      return this.#wrong(node, path, "is not a mapping");
    }
    const fields = new Map<string, Field>();
    for (const { key, offset, value } of node.entries) {
      const at = `${path}["${key}"]`;
      const read = this.#one(value, type, at);
      if (read !== undefined) {
        fields.set(key, {
          place: { path: at, source: this.#source, offset },
          value: read,
        });
      }
    }
    return fields;
  }

  #one(node: Node, type: string, path: string): Field["value"] | undefined {
    const wrapped = WRAPPERS[type];
    if (wrapped !== undefined) {
      return node.kind === "map"
        ? this.#wrapper(node, wrapped, path)
        : this.#scalar(node, wrapped, path);
    }
    if (type === "google.protobuf.Any") return this.#any(node, path);
    if (type === "google.protobuf.Duration") return this.#duration(node, path);
    if (FREE.has(type)) return this.#free(node, path);
    if (type.startsWith("google.protobuf.")) return undefined;
    const names = valuesOfEnum(type);
    if (names !== undefined) return this.#enum(node, names, path);
    if (type.includes(".")) return this.message(node, type, path);
    return this.#scalar(node, type, path);
  }

  /** A wrapper written as a message; without a value it is 0, false or "". */
  #wrapper(node: MapNode, type: string, path: string) {
    for (const entry of node.entries) {
      if (entry.key !== "value") this.#noField(path, entry, ["value"]);
    }
    const value = node.entries.find(({ key }) => key === "value")?.value;
    const zero = type === "bool"
      ? false
      : /^(string|bytes)$/.test(type)
      ? ""
      : 0;
    return value === undefined || isNull(value)
      ? zero
      : this.#scalar(value, type, path);
  }

  #scalar(node: Node, type: string, path: string) {
    if (node.kind !== "scalar") {
      const kind = /string|bytes/.test(type) ? "a text" : `a ${type}`;
      return this.#wrong(node, path, `is not ${kind}`);
    }
    const value = scalarValue(node);
    if (type === "bool") return this.#bool(value, node, path);
    if (type === "string" || type === "bytes") {
      return typeof value === "string"
        ? value
        : this.#wrong(node, path, "is not a text; quote it");
    }
    const text = String(value);
    const number = NUMBER.test(text.trim()) ? Number(text) : NaN;
    const [low, high] = RANGES[type] ?? [-Infinity, Infinity];
    if (RANGES[type] === undefined) {
      if (/^-?(NaN|Infinity)$/.test(text)) return Number(text);
      return Number.isFinite(number)
        ? number
        : this.#wrong(node, path, "is not a number");
    }
    if (!Number.isInteger(number) || text !== text.trim()) {
      return this.#wrong(node, path, "is not a whole number");
    }
    return number < low || number > high
      ? this.#wrong(node, path, `is not from ${low} to ${high}`)
      : number;
  }

  #bool(value: Scalar, node: ScalarNode, path: string) {
    if (typeof value === "boolean") return value;
    if (typeof value === "string") {
      if (/^(true|t|yes|y|1)$/i.test(value)) return true;
      if (/^(false|f|no|n|0)$/i.test(value)) return false;
    }
    return this.#wrong(node, path, "is neither true nor false");
  }

  #enum(node: Node, names: Readonly<Record<string, number>>, path: string) {
    const value = node.kind === "scalar" ? scalarValue(node) : undefined;
    const byNumber = typeof value === "number" || /^-?\d+$/.test(String(value))
      ? Object.keys(names).find((name) => names[name] === Number(value))
      : undefined;
    const name = typeof value === "string" ? value.toUpperCase() : "";
    if (Object.hasOwn(names, name)) return name;
    const hint = hintOf(name, Object.keys(names));
    return byNumber ??
      this.#wrong(node, path, `is not one of its values${hint}`);
  }

  /** Milliseconds of "1.5s", or of {seconds: 1, nanos: 500000000}. */
  #duration(node: Node, path: string) {
    if (node.kind === "map") {
      let ms = 0;
      for (const { key, offset, value } of node.entries) {
        const unit = Object.hasOwn(DURATION_UNITS_MS, key)
          ? DURATION_UNITS_MS[key]
          : undefined;
        if (unit === undefined) {
          this.#noField(path, { key, offset });
        } else if (!isNull(value)) {
          const part = this.#scalar(value, "int64", joined(path, key));
          ms += Number(part ?? 0) * unit;
        }
      }
      return ms;
    }
    const text = node.kind === "scalar" ? scalarValue(node) : undefined;
    const [, seconds] = /^(-?\d+(?:\.\d{1,9})?)s$/.exec(
      typeof text === "string" ? text : "",
    ) ?? [];
    return seconds === undefined
      ? this.#wrong(node, path, 'is not a duration as "0.25s"')
      : Math.round(Number(seconds) * 1e9) / 1e6;
  }

  #any(node: Node, path: string): Message | undefined {
    if (node.kind !== "map") {
      return this.#wrong(node, path, 'is not a mapping with an "@type"');
    }
    const find = (entries: readonly Entry[], ...names: string[]) =>
      entries.find(({ key }) => names.includes(key))?.value;
    const named = find(node.entries, "@type");
    if (named === undefined) {
      if (node.entries.length === 0) return undefined;
      return this.#wrong(node, path, 'has no "@type"');
    }
    const url = named.kind === "scalar" ? named.text : "";
    const type = url.slice(url.lastIndexOf("/") + 1);
    if (TYPED_STRUCT.test(type)) {
      const inner = find(node.entries, "type_url", "typeUrl");
      const value = find(node.entries, "value");
      const innerType = inner?.kind === "scalar" ? inner.text : "";
      return this.message(
        value ?? { kind: "map", offset: node.offset, entries: [] },
        innerType.slice(innerType.lastIndexOf("/") + 1),
        joined(path, "value"),
      );
    }
    if (fieldsOfType(type) === undefined) {
      this.#problem(this.#place(named, joined(path, "@type")), {
        what: `"${shown(url)}" is not a type that Envoy knows`,
        text: url,
      });
    }
    return this.message(node, type, path, true);
  }

  /** Free JSON: mappings become maps, and null is left out. */
  #free(node: Node, path: string): Field["value"] | undefined {
    if (node.kind === "scalar") {
      const value = scalarValue(node);
      return value === null ? undefined : value;
    }
    if (node.kind === "map") {
      return this.#map(node, "google.protobuf.Value", path);
    }
    return node.items.flatMap((item, index) => {
      const at = `${path}[${index}]`;
      const value = this.#free(item, at);
      return value === undefined
        ? []
        : [{ place: this.#place(item, at), value }];
    });
  }

  #place(node: Node, path: string): Place {
    return { path, source: this.#source, offset: node.offset };
  }

  #wrong(node: Node, path: string, what: string): undefined {
    const text = node.kind === "scalar" ? node.text : "";
    this.#problem(this.#place(node, path), {
      what: node.kind === "scalar" ? `"${shown(text)}" ${what}` : `it ${what}`,
      text,
    });
    return undefined;
  }

  #noField(
    path: string,
    { key, offset }: Pick<Entry, "key" | "offset">,
    known: readonly string[] = [],
  ): void {
    const place = { path: joined(path, key), source: this.#source, offset };
    const what = `there is no such field${hintOf(key, known)}`;
    this.#problem(place, { what, text: key });
  }

  #problem(place: Place, { what, text }: Omit<Problem, "place">): void {
    if (this.problems.length < PROBLEMS_MAX) {
      this.problems.push({ place, what, text });
    }
  }
}

/** The word that was meant, if one is close. */
function hintOf(word: string, known: readonly string[]): string {
  const close = word.length > VALUE_UNITS_MAX
    ? undefined
    : nearest(word, known);
  return close === undefined ? "" : `; "${close}" may be meant`;
}

function isNull(node: Node): boolean {
  return node.kind === "scalar" && scalarValue(node) === null;
}

/** The elements of a list; one value stands for a list of one. */
function elementsOf(node: Node): readonly Node[] {
  return node.kind === "list" ? node.items.flatMap(elementsOf) : [node];
}

function shown(text: string): string {
  return printable(text, VALUE_UNITS_MAX);
}
