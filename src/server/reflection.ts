/** Reflection: the server's services and .proto files, comments included. */
import { NPM_PROTO_FILES } from "./npm_protos.ts";
import type { MessageTypeDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { Buffer } from "node:buffer";
import { describeFile } from "../io/descriptors.ts";
import { PROTO_FILES } from "../io/proto.ts";

/**
 * Makes the two reflection services, v1 and v1alpha. They publish the .proto
 * files of all the server's services, comments included.
 */
export function createReflection(): ReflectionService {
  const files = Object.entries({ ...PROTO_FILES, ...NPM_PROTO_FILES });
  // Reflection reads only this field of a package definition.
  const definition = {
    fileDescriptorProtos: files
      .map(([name, text]) => Buffer.from(describeFile(name, text))),
  } as unknown as MessageTypeDefinition<object, object>;
  return new ReflectionService({ files: definition });
}
