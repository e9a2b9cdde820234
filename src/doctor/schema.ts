/** Envoy's API: which fields each message of a configuration has. */
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import packed from "./schema.json" with { type: "json" };

/** What tools/envoy_schema.ts extracts from Envoy's executable. */
export interface Schema {
  /**
   * For each message its fields by name, and the type of each: a scalar, or the
   * full name of a message or an enum. "[" is before the type of a list's
   * elements, "{" before that of a map's values, "|N" after that of a member of
   * the message's oneof N, and "!" ends that of a deprecated field.
   */
  readonly messages: Record<string, Readonly<Record<string, string>>>;
  /** For each enum the number of each name. */
  readonly enums: Record<string, Readonly<Record<string, number>>>;
}

/** The licence of the schema, which is not this project's work. */
export const SCHEMA_LICENCE = "Apache-2.0, the Envoy Project Authors";

/** A field of a message. */
export interface FieldType {
  readonly name: string;
  /** A scalar's name, or the full name of a message or an enum. */
  readonly type: string;
  readonly form: "one" | "list" | "map";
  /** Which of the message's oneofs it is a member of. */
  readonly oneof: string | undefined;
  readonly isDeprecated: boolean;
}

let loaded: Schema | undefined;

/** The whole schema; it is unpacked once. */
export function schema(): Schema {
  loaded ??= JSON.parse(
    inflateRawSync(Buffer.from(packed.deflated, "base64")).toString(),
  ) as Schema;
  return loaded;
}

const messages = new Map<string, ReadonlyMap<string, FieldType>>();

/**
 * The fields of a message by both of their names, as in "max_retries" and
 * "maxRetries"; undefined if Envoy has no such message.
 */
export function fieldsOfType(
  type: string,
): ReadonlyMap<string, FieldType> | undefined {
  const known = messages.get(type);
  if (known !== undefined) return known;
  const { messages: all } = schema();
  if (!Object.hasOwn(all, type)) return undefined;
  const fields = new Map(
    Object.entries(all[type] ?? {}).flatMap(([name, text]) => {
      const field = fieldType(name, text);
      return [[camelCase(name), field], [name, field]] as const;
    }),
  );
  messages.set(type, fields);
  return fields;
}

/** The numbers of an enum's names; undefined if it is not an enum. */
export function valuesOfEnum(
  type: string,
): Readonly<Record<string, number>> | undefined {
  const { enums } = schema();
  return Object.hasOwn(enums, type) ? enums[type] : undefined;
}

function fieldType(name: string, text: string): FieldType {
  const [, form, type = "", oneof, mark] =
    /^([[{]?)([^|!]+)(?:\|(\d+))?(!?)$/.exec(text) ?? [];
  return {
    name,
    type,
    form: form === "[" ? "list" : form === "{" ? "map" : "one",
    oneof,
    isDeprecated: mark === "!",
  };
}

function camelCase(name: string): string {
  return name.replace(/_([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase());
}
