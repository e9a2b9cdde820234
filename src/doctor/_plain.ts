/** Messages as plain values, to compare them; for tests. */
import type { Field } from "./message.ts";
import { Message } from "./message.ts";
import { fieldsOfType, valuesOfEnum } from "./schema.ts";

/**
 * A message without places, and without what Envoy does not print: fields that
 * have their default, unless they are wrapped.
 */
export function plainMessage(message: Message): Record<string, unknown> {
  const types = fieldsOfType(message.type);
  const entries = [...message.fields].flatMap(([name, { value }]) => {
    const type = types?.get(name);
    const isDefault = type?.form === "one" && type.oneof === undefined &&
        isZero(value, type.type) ||
      value instanceof Map && value.size === 0 ||
      Array.isArray(value) && value.length === 0;
    return isDefault ? [] : [[name, plainValue(value)] as const];
  });
  return Object.fromEntries(entries);
}

function isZero(value: Field["value"], type: string): boolean {
  const names = valuesOfEnum(type);
  if (names !== undefined) return names[String(value)] === 0;
  return !type.includes(".") &&
    (value === 0 || value === false || value === "");
}

function plainValue(value: Field["value"]): unknown {
  if (value instanceof Message) return plainMessage(value);
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([key, field]) => [key, plainValue(field.value)]),
    );
  }
  if (typeof value !== "object") return value;
  return (value as readonly Field[]).map((field) => plainValue(field.value));
}
