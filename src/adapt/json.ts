/** Writes messages in the JSON form of protobuf, which Envoy reads. */
import type { Fields } from "../core/yaml.ts";
import { type Field, Message } from "../doctor/message.ts";
import { fieldsOfType } from "../doctor/schema.ts";

/** The start of a type's URL. */
const TYPES = "type.googleapis.com/";

/** A message with the names that Envoy's API has for its fields. */
export function jsonOf(message: Message): Fields {
  const types = fieldsOfType(message.type);
  return Object.fromEntries(
    [...message.fields].map(([name, { value }]) => [
      name,
      jsonValue(value, types?.get(name)?.type ?? ""),
    ]),
  );
}

function jsonValue(value: Field["value"], type: string): unknown {
  if (value instanceof Message) {
    return type === "google.protobuf.Any"
      ? { "@type": `${TYPES}${value.type}`, ...jsonOf(value) }
      : jsonOf(value);
  }
  if (typeof value === "object") {
    return Symbol.iterator in value && !(value instanceof Map)
      ? [...value as readonly Field[]].map((one) => jsonValue(one.value, type))
      : Object.fromEntries(
        [...value as ReadonlyMap<string, Field>].map(([key, one]) => [
          key,
          jsonValue(one.value, type),
        ]),
      );
  }
  return type === "google.protobuf.Duration" && typeof value === "number"
    ? durationText(value)
    : value;
}

/** "0.25s" of 250. */
function durationText(ms: number): string {
  return `${(ms / 1000).toFixed(9).replace(/\.?0+$/, "")}s`;
}
