/**
 * What protoc makes of our .proto files, for a test. After changing one,
 * regenerate _protoc.json and review the difference:
 *
 *   protoc -Iproto --include_source_info --descriptor_set_out=/dev/stdout \
 *     demo/v1/greeter.proto demo/v1/admin.proto |
 *     ./denow run -q -A src/io/_protoc.ts
 */
import descriptor from "protobufjs/ext/descriptor/index.js";

interface Location {
  readonly path: readonly number[];
  readonly leadingComments?: string;
}

/** A descriptor as JSON, with the comments above declarations. */
export interface DescribedFile {
  readonly name: string;
  readonly comments: Readonly<Record<string, unknown>>;
  readonly [rest: string]: unknown;
}

/** Reads an encoded FileDescriptorProto. */
export function readFile(bytes: Uint8Array): DescribedFile {
  const { FileDescriptorProto } = descriptor;
  const { sourceCodeInfo, ...rest } = FileDescriptorProto.toObject(
    FileDescriptorProto.decode(bytes),
  );
  const locations = sourceCodeInfo.location as readonly Location[];
  return {
    ...JSON.parse(JSON.stringify(rest)),
    comments: Object.fromEntries(
      locations
        .filter(({ leadingComments }) => leadingComments !== undefined)
        .map(({ path, leadingComments }) => [path.join("."), leadingComments]),
    ),
  };
}

if (import.meta.main) {
  const { FileDescriptorSet, FileDescriptorProto } = descriptor;
  const bytes = await new Response(Deno.stdin.readable).bytes();
  const { file } = FileDescriptorSet.toObject(FileDescriptorSet.decode(bytes));
  const files = (file as readonly Record<string, unknown>[])
    .map((one) => readFile(FileDescriptorProto.encode(one).finish()));
  await Deno.writeTextFile(
    new URL("_protoc.json", import.meta.url),
    JSON.stringify(files, null, 2) + "\n",
  );
}
