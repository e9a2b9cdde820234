/**
 * Gives grpc-health-check and @grpc/reflection their own .proto files as
 * embedded text.
 *
 * Both packages read these files from their folder when they load. A server
 * that may read no file, and a binary that has no such folder, cannot do that.
 * So the three files are part of the program, and the two calls that fetch
 * them are answered from memory; every other file is still asked of Deno, and
 * refused by its permissions. Must be imported before the two packages.
 * Reflection publishes the same text.
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

/** The text of these files, by the names that others import them by. */
export const NPM_PROTO_FILES: Readonly<Record<string, string>> = {
  "grpc/health/v1/health.proto": health,
  "grpc/reflection/v1/reflection.proto": reflectionV1,
  "grpc/reflection/v1alpha/reflection.proto": reflectionV1Alpha,
};

/** The packages' paths end as these names do, but for "grpc". */
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
