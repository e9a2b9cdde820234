/** A protobuf message as a configuration writes it, with places. */
import type { Position } from "./yaml_tree.ts";

/** Where something is, or would be, written. */
export interface Place {
  /** The path of the field, as in "static_resources.clusters[0].type". */
  readonly path: string;
  /** In which text: the configuration, or a file that it names. */
  readonly source: Source;
  readonly offset: number;
}

/** A text that a configuration is read from. */
export interface Source {
  /** The file's name as it is shown. */
  readonly name: string;
  /** The whole file. */
  readonly text: string;
  /** Line and column in that file of an offset in the text. */
  readonly positionOf: (offset: number) => Position;
}

/** A value, after the rules of protobuf's JSON form. */
export type Value =
  | string
  | number
  | boolean
  | Message
  | readonly Field[]
  | ReadonlyMap<string, Field>;

/** A field that is set. */
export interface Field {
  readonly place: Place;
  readonly value: Value;
}

/** What is written at a path is not of the kind that the path leads to. */
const SEPARATOR = ".";

/** A message. Paths within it are dotted, as in "route.retry_policy". */
export class Message {
  /** Its full name, as in "envoy.config.cluster.v3.Cluster". */
  readonly type: string;
  readonly place: Place;
  /** Whether Envoy's API has no such message: then it has no fields here. */
  readonly isOpaque: boolean;
  readonly fields: ReadonlyMap<string, Field>;

  constructor(
    type: string,
    place: Place,
    fields: ReadonlyMap<string, Field>,
    isOpaque = false,
  ) {
    this.type = type;
    this.place = place;
    this.fields = fields;
    this.isOpaque = isOpaque;
  }

  /** Whether it is a message of this name, without its package. */
  is(name: string): boolean {
    return this.type.endsWith(`.${name}`);
  }

  /** The field at a path; undefined if it is not set. */
  field(path: string): Field | undefined {
    const [first = "", ...rest] = path.split(SEPARATOR);
    const field = this.fields.get(first);
    if (rest.length === 0) return field;
    return field?.value instanceof Message
      ? field.value.field(rest.join(SEPARATOR))
      : undefined;
  }

  /** Whether the field at a path is set. */
  has(path: string): boolean {
    return this.field(path) !== undefined;
  }

  /** The text, or an enum's name, at a path. */
  text(path: string): string | undefined {
    const value = this.field(path)?.value;
    return typeof value === "string" ? value : undefined;
  }

  /** The number at a path; durations are in milliseconds. */
  number(path: string): number | undefined {
    const value = this.field(path)?.value;
    return typeof value === "number" ? value : undefined;
  }

  flag(path: string): boolean | undefined {
    const value = this.field(path)?.value;
    return typeof value === "boolean" ? value : undefined;
  }

  /** The message at a path. */
  message(path: string): Message | undefined {
    const value = this.field(path)?.value;
    return value instanceof Message ? value : undefined;
  }

  /** The messages of the list at a path; empty if it is not set. */
  messages(path: string): readonly Message[] {
    return this.list(path).map(({ value }) => value)
      .filter((value) => value instanceof Message);
  }

  /** The elements of the list at a path; empty if it is not set. */
  list(path: string): readonly Field[] {
    const value = this.field(path)?.value;
    return Array.isArray(value) ? value : [];
  }

  /** The entries of the map at a path; empty if it is not set. */
  map(path: string): ReadonlyMap<string, Field> {
    const value = this.field(path)?.value;
    return value instanceof Map ? value : new Map();
  }

  /** Where the field at a path is, or where it would be. */
  where(path: string): Place {
    const [first = "", ...rest] = path.split(SEPARATOR);
    const field = this.fields.get(first);
    if (field === undefined || rest.length === 0) {
      const place = field?.place ?? this.place;
      return { ...place, path: joined(this.place.path, path) };
    }
    return field.value instanceof Message
      ? field.value.where(rest.join(SEPARATOR))
      : { ...field.place, path: joined(this.place.path, path) };
  }
}

/** A path with one more step. */
export function joined(path: string, step: string): string {
  return path === "" ? step : `${path}.${step}`;
}

/** All messages within a message, itself included. */
export function messagesIn(message: Message): readonly Message[] {
  const inValue = (value: Field["value"]): readonly Message[] => {
    if (value instanceof Message) return messagesIn(value);
    if (typeof value !== "object") return [];
    return [...value.values()].flatMap((field) => inValue(field.value));
  };
  return [
    message,
    ...[...message.fields.values()].flatMap(({ value }) => inValue(value)),
  ];
}
