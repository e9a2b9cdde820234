/**
 * Makes src/doctor/schema.json: every message that a configuration of the
 * pinned Envoy can have. Envoy's executable contains the descriptors of its
 * API, so that the doctor knows exactly the fields that this version knows.
 * After changing Envoy's version:
 *
 *   ./denow run -q -P=build tools/envoy_schema.ts
 *
 * The descriptors are Envoy's, under the Apache License 2.0.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import descriptor from "protobufjs/ext/descriptor/index.js";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { type Schema, SCHEMA_LICENCE } from "../src/doctor/schema.ts";
import { runProgram } from "../src/io/program.ts";
import { findTool } from "../src/io/tools.ts";
import { print, printError } from "../src/io/terminal.ts";

/** What it writes, in the project's folder. */
const SCHEMA_FILE = "src/doctor/schema.json";

/** Messages of these packages are roots: extensions are found by name. */
const ROOTS = /^(envoy\.(config|extensions)\..*\.v\d|xds\.type)/;

/** The number of `syntax`, the last field of a FileDescriptorProto. */
const SYNTAX_FIELD = 12;

/** FileDescriptorProto.Type, as the schema writes it. */
const SCALARS: Readonly<Record<number, string>> = {
  1: "double",
  2: "float",
  3: "int64",
  4: "uint64",
  5: "int32",
  6: "uint64",
  7: "uint32",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
  15: "int32",
  16: "int64",
  17: "int32",
  18: "int64",
};
const LABEL_REPEATED = 3;

interface Field {
  readonly name: string;
  readonly type: number;
  readonly label: number;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
  readonly options?: { readonly deprecated?: boolean };
}
interface Message {
  readonly name: string;
  readonly field?: readonly Field[];
  readonly nestedType?: readonly Message[];
  readonly enumType?: readonly Enum[];
  readonly options?: { readonly mapEntry?: boolean };
}
interface Enum {
  readonly name: string;
  readonly value: readonly {
    readonly name: string;
    readonly number?: number;
  }[];
}
interface File {
  readonly package?: string;
  readonly messageType?: readonly Message[];
  readonly enumType?: readonly Enum[];
}

/** Reads a varint. @returns Its value and the offset after it. */
function varint(bytes: Uint8Array, from: number): [number, number] {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[from + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return [value, from + index + 1];
  }
  return [NaN, from];
}

/** Where the file that starts here ends; undefined if none does. */
function fileEnd(bytes: Uint8Array, start: number): number | undefined {
  let at = start;
  while (at < bytes.length) {
    const [tag, afterTag] = varint(bytes, at);
    const [size, afterSize] = varint(bytes, afterTag);
    // Every field is a string or a message, except weak and public imports.
    if (tag % 8 === 0 && (tag >> 3 === 10 || tag >> 3 === 11)) at = afterSize;
    else if (tag % 8 === 2 && size < bytes.length) at = afterSize + size;
    else return undefined;
    if (tag >> 3 === SYNTAX_FIELD) return at;
  }
  return undefined;
}

/** All descriptors of files in an executable. */
function filesIn(executable: Uint8Array): readonly File[] {
  const text = Buffer.from(executable.buffer);
  const found = new Map<string, File>();
  const suffix = ".proto";
  for (
    let at = text.indexOf(suffix);
    at >= 0;
    at = text.indexOf(suffix, at + 1)
  ) {
    const end = at + suffix.length;
    let start = at;
    while (/[\w/]/.test(String.fromCharCode(executable[start - 1] ?? 0))) {
      start -= 1;
    }
    // The length before the name may look like a letter of it.
    for (let from = start - 2; from < at - 4; from++) {
      const [size, after] = varint(executable, from + 1);
      if (executable[from] !== 0x0a || after + size !== end) continue;
      const name = text.toString("latin1", after, end);
      const fileStop = fileEnd(executable, from);
      if (fileStop === undefined || found.has(name)) continue;
      const { FileDescriptorProto } = descriptor;
      found.set(
        name,
        FileDescriptorProto.toObject(
          FileDescriptorProto.decode(executable.subarray(from, fileStop)),
        ) as File,
      );
    }
  }
  return [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([, file]) => file);
}

/** The schema of an Envoy's configuration. */
export function schemaOf(executable: Uint8Array): Schema {
  const all = new Map<string, Message>();
  const enums = new Map<string, Enum>();
  const take = (scope: string, file: Message | File) => {
    const messages = "messageType" in file
      ? file.messageType
      : (file as Message).nestedType;
    for (const one of file.enumType ?? []) {
      enums.set(`${scope}${one.name}`, one);
    }
    for (const one of messages ?? []) {
      all.set(`${scope}${one.name}`, one);
      take(`${scope}${one.name}.`, one);
    }
  };
  for (const file of filesIn(executable)) take(`${file.package}.`, file);
  const schema: Schema = { messages: {}, enums: {} };
  const visit = (name: string) => {
    const message = all.get(name);
    if (message === undefined || Object.hasOwn(schema.messages, name)) return;
    const fields: Record<string, string> = {};
    schema.messages[name] = fields;
    for (const field of message.field ?? []) {
      fields[field.name] = typeOf(field);
    }
  };
  const reference = (typeName = "") => {
    const name = typeName.replace(/^\./, "");
    const one = enums.get(name);
    if (one === undefined) visit(name);
    else {
      schema.enums[name] = Object.fromEntries(
        one.value.map(({ name, number = 0 }) => [name, number]),
      );
    }
    return name;
  };
  const typeOf = (field: Field): string => {
    const entry = all.get((field.typeName ?? "").slice(1));
    const isMap = entry?.options?.mapEntry === true;
    const value = isMap
      ? entry.field?.find(({ name }) => name === "value")
      : field;
    const type = SCALARS[value?.type ?? 0] ?? reference(value?.typeName);
    const form = isMap ? "{" : field.label === LABEL_REPEATED ? "[" : "";
    const oneof =
      field.oneofIndex === undefined || field.proto3Optional === true
        ? ""
        : `|${field.oneofIndex}`;
    const mark = field.options?.deprecated === true ? "!" : "";
    return `${form}${type}${oneof}${mark}`;
  };
  for (
    const name of [...all.keys()].filter((name) => ROOTS.test(name)).sort()
  ) {
    if (all.get(name)?.options?.mapEntry !== true) visit(name);
  }
  return schema;
}

/** The text of schema.json. */
export function schemaFile(executable: Uint8Array, version: string): string {
  const plain = JSON.stringify(schemaOf(executable));
  return `${
    JSON.stringify(
      {
        envoy: version,
        licence: SCHEMA_LICENCE,
        deflated: deflateRawSync(plain, { level: 9 }).toString("base64"),
      },
      undefined,
      2,
    )
  }\n`;
}

async function run(): Promise<number> {
  const { help } = parseFlags({}, Deno.args);
  if (help) {
    const about = `Writes ${SCHEMA_FILE} from the descriptors in the pinned \
Envoy's executable.`;
    print(helpText("envoy_schema.ts", about, {}));
    return 0;
  }
  const { path, version } = await findTool("envoy", { onProgress: printError });
  await Deno.writeTextFile(
    new URL(`../${SCHEMA_FILE}`, import.meta.url),
    schemaFile(await Deno.readFile(path), version),
  );
  return 0;
}

if (import.meta.main) await runProgram("envoy_schema", run);
