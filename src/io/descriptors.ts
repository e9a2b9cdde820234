/**
 * The descriptor of a .proto file, as protoc makes it, for reflection.
 *
 * protobufjs has a descriptor extension, which @grpc/proto-loader uses, but it
 * merges each package into one file, names fields in camel case, takes the
 * synthetic oneofs of `optional` for real ones and leaves the comments out.
 */
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor/index.js";

/** FieldDescriptorProto.Type by the names of scalars in .proto files. */
const SCALARS: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const TYPE_MESSAGE = 11;
const TYPE_ENUM = 14;
const LABEL_OPTIONAL = 1;
const LABEL_REPEATED = 3;

/**
 * Makes the FileDescriptorProto of a .proto file.
 *
 * @param name The file's name as others would import it, for example
 * "demo/v1/greeter.proto".
 * @param text A proto3 file that imports nothing.
 * @returns The encoded message.
 * @throws {RangeError} When it uses what is not supported here: imports,
 * extensions, reserved names or numbers, options below the file level.
 */
export function describeFile(name: string, text: string): Uint8Array {
  const root = new protobuf.Root();
  const parsed = protobuf.parse(text, root, {
    keepCase: true,
    alternateCommentMode: true, // Comments of the form "//".
  });
  root.resolveAll();
  if (!/^syntax = "proto3";$/m.test(text)) throw unknown(name, "syntax");
  if (parsed.imports !== undefined) throw unknown(name, "imports");
  const scope = root.lookup(parsed.package ?? "") as protobuf.Namespace;
  const { FileDescriptorProto } = descriptor;
  return FileDescriptorProto.encode(FileDescriptorProto.fromObject({
    name,
    ...(parsed.package === undefined ? {} : { package: parsed.package }),
    messageType: only(protobuf.Type, scope).map(describeMessage),
    enumType: only(protobuf.Enum, scope).map(describeEnum),
    service: only(protobuf.Service, scope).map(describeService),
    ...optionsOf(root, scope),
    sourceCodeInfo: { location: commentsIn(scope, [], OF_FILE) },
    syntax: "proto3",
  })).finish();
}

/**
 * The field numbers that lead from a file, or a message, to its messages, enums
 * and services. The members of all of these have the number 2.
 */
const OF_FILE = [4, 5, 6] as const;
const OF_MESSAGE = [3, 4, NaN] as const;

/** A comment, with the path to what it is about and a place for it. */
interface Location {
  readonly path: readonly number[];
  readonly span: readonly number[];
  readonly leadingComments: string;
}

/**
 * The comments within a file or a message.
 *
 * @param path Field numbers and indexes from the FileDescriptorProto down.
 */
function commentsIn(
  scope: protobuf.NamespaceBase,
  path: readonly number[],
  [message, enumeration, service]: typeof OF_FILE | typeof OF_MESSAGE,
): Location[] {
  const of = <T extends protobuf.ReflectionObject>(
    all: readonly T[],
    number: number,
    membersOf: (one: T) => readonly (string | null | undefined)[],
  ) =>
    all.flatMap((one, at) => {
      const own = [...path, number, at];
      return [
        ...located(own, one.comment),
        ...membersOf(one)
          .flatMap((comment, index) => located([...own, 2, index], comment)),
        ...(one instanceof protobuf.Type
          ? commentsIn(one, own, OF_MESSAGE)
          : []),
      ];
    });
  return [
    ...of(
      only(protobuf.Type, scope),
      message,
      ({ fieldsArray }) => fieldsArray.map(({ comment }) => comment),
    ),
    ...of(
      only(protobuf.Enum, scope),
      enumeration,
      ({ values, comments }) =>
        Object.keys(values).map((name) => comments[name]),
    ),
    ...of(
      only(protobuf.Service, scope),
      service,
      ({ methodsArray }) => methodsArray.map(({ comment }) => comment),
    ),
  ];
}

function located(
  path: readonly number[],
  comment: string | null | undefined,
): Location[] {
  if (!comment) return [];
  const leadingComments = comment.replaceAll(/^.*\n?$/gm, " $&") + "\n";
  return [{ path, span: [0, 0, 0], leadingComments }];
}

function unknown(where: string, what: string): RangeError {
  return new RangeError(`Cannot describe the ${what} of ${where}`);
}

function only<T extends protobuf.ReflectionObject>(
  // deno-lint-ignore no-explicit-any
  kind: new (...args: any[]) => T,
  scope: protobuf.NamespaceBase,
): T[] {
  return scope.nestedArray.filter((one): one is T => one instanceof kind);
}

/** A file's options; protobufjs keeps them with the package. */
function optionsOf(
  ...holders: readonly protobuf.ReflectionObject[]
): { options?: Record<string, unknown> } {
  const entries = holders.flatMap(({ options }) =>
    Object.entries(options ?? {})
  ).filter(([name]) => name !== "syntax");
  if (entries.length === 0) return {};
  return {
    options: Object.fromEntries(
      entries.map(([name, value]) => [protobuf.util.camelCase(name), value]),
    ),
  };
}

function describeMessage(type: protobuf.Type): object {
  if (type.reserved?.length > 0 || type.extensions?.length > 0) {
    throw unknown(type.fullName, "reserved or extension ranges");
  }
  const oneofs = [
    ...type.oneofsArray.filter((oneof) => !isSynthetic(oneof)),
    // protoc puts the synthetic ones of `optional` last.
    ...type.oneofsArray.filter(isSynthetic),
  ];
  return {
    name: type.name,
    field: type.fieldsArray.map((field) => describeField(field, oneofs)),
    nestedType: [
      ...only(protobuf.Type, type).map(describeMessage),
      ...type.fieldsArray.filter((field) => isMap(field)).map(describeMapEntry),
    ],
    enumType: only(protobuf.Enum, type).map(describeEnum),
    oneofDecl: oneofs.map(({ name }) => ({ name })),
  };
}

function isSynthetic({ fieldsArray }: protobuf.OneOf): boolean {
  return fieldsArray.some((field) => isProto3Optional(field));
}

function isProto3Optional({ options }: protobuf.Field): boolean {
  return options?.["proto3_optional"] === true;
}

function describeField(
  field: protobuf.Field,
  oneofs: readonly protobuf.OneOf[],
): object {
  const options = Object.keys(field.options ?? {})
    .filter((option) => option !== "proto3_optional");
  if (options.length > 0) throw unknown(field.fullName, "options");
  return {
    name: field.name,
    number: field.id,
    label: field.repeated || field.map ? LABEL_REPEATED : LABEL_OPTIONAL,
    ...(isMap(field)
      ? {
        type: TYPE_MESSAGE,
        typeName: `${field.parent?.fullName}.${entryName(field)}`,
      }
      : typeOf(field)),
    jsonName: jsonName(field.name),
    ...(field.partOf === null ? {} : {
      oneofIndex: oneofs.indexOf(field.partOf),
    }),
    ...(isProto3Optional(field) ? { proto3Optional: true } : {}),
  };
}

function typeOf({ type, resolvedType }: protobuf.FieldBase): object {
  if (resolvedType === null) return { type: SCALARS[type] };
  return {
    type: resolvedType instanceof protobuf.Enum ? TYPE_ENUM : TYPE_MESSAGE,
    typeName: resolvedType.fullName,
  };
}

function isMap(
  field: protobuf.FieldBase,
): field is protobuf.FieldBase & protobuf.MapField {
  return field instanceof protobuf.MapField;
}

function entryName({ name }: protobuf.FieldBase): string {
  return `${protobuf.util.ucFirst(jsonName(name))}Entry`;
}

/** A map is a repeated message of key and value. */
function describeMapEntry(field: protobuf.MapField): object {
  const part = (name: string, number: number, type: object) => ({
    name,
    number,
    label: LABEL_OPTIONAL,
    ...type,
    jsonName: name,
  });
  return {
    name: entryName(field),
    field: [
      part("key", 1, { type: SCALARS[field.keyType] }),
      part("value", 2, typeOf(field)),
    ],
    options: { mapEntry: true },
  };
}

/** protoc's rule: an underscore is dropped and capitalizes the next letter. */
function jsonName(name: string): string {
  return name.replaceAll(
    /_+(.?)/g,
    (_, next: string) => next.toUpperCase(),
  );
}

function describeEnum(type: protobuf.Enum): object {
  return {
    name: type.name,
    value: Object.entries(type.values)
      .map(([name, number]) => ({ name, number })),
  };
}

function describeService(service: protobuf.Service): object {
  return {
    name: service.name,
    method: service.methodsArray.map((method) => ({
      name: method.name,
      inputType: method.resolvedRequestType?.fullName,
      outputType: method.resolvedResponseType?.fullName,
      ...(method.requestStream ? { clientStreaming: true } : {}),
      ...(method.responseStream ? { serverStreaming: true } : {}),
    })),
  };
}
