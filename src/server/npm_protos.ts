/**
 * Gives grpc-health-check and @grpc/reflection their own .proto files as
 * embedded text.
 *
 * Both packages read these files from their folders when they load. A server
 * without read permission, or a binary without those folders, cannot. So the
 * three files are embedded, and the two functions that read them answer from
 * memory; any other file still goes to Deno, whose permissions refuse it. This
 * module must be imported before the two packages. Reflection publishes the
 * same text.
 */
import { Buffer } from "node:buffer";
import fs from "node:fs";
import health from "grpc-health-check/proto/health/v1/health.proto" with {
  type: "text",
};
import reflectionV1 from "@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto" with {
  type: "text",
};
import reflectionV1Alpha from "@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto" with {
  type: "text",
};

/** The text of these files, by their import names. */
export const NPM_PROTO_FILES: Readonly<Record<string, string>> = {
  "grpc/health/v1/health.proto": health,
  "grpc/reflection/v1/reflection.proto": reflectionV1,
  "grpc/reflection/v1alpha/reflection.proto": reflectionV1Alpha,
};

/** The packages' paths end like these names without "grpc". */
function embedded(path: unknown): string | undefined {
  return Object.entries(NPM_PROTO_FILES)
    .find(([name]) => String(path).endsWith(name.slice("grpc".length)))?.[1];
}

const { accessSync, readFileSync } = fs;

Object.assign(fs, {
  accessSync(...args: Parameters<typeof accessSync>): void {
    if (embedded(args[0]) === undefined) accessSync(...args);
  },
  readFileSync(path: string, ...rest: readonly unknown[]): string | Buffer {
    const text = embedded(path);
    if (text === undefined) {
      return Reflect.apply(readFileSync, fs, [path, ...rest]);
    }
    return rest[0] === undefined ? Buffer.from(text) : text;
  },
});

// A bundle is an ES module, which has no __dirname; the packages only join it
// to the names above.
if (!("__dirname" in globalThis)) {
  Object.assign(globalThis, { __dirname: "" });
}
