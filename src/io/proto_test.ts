import assert from "node:assert/strict";
import protobuf from "protobufjs";
import { Admin, Greeter, GREETER_SERVICE, PROTO_FILES } from "./proto.ts";

const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  double: "number",
  uint32: "number",
  uint64: "number",
};

function clientType({ name, methodsArray }: protobuf.Service): string[] {
  return [
    `/** A client of demo.v1.${name}. */`,
    `export interface ${name}Client extends Client {`,
    ...methodsArray.map((method) => {
      const { requestStream, responseStream, requestType } = method;
      const kind = requestStream ? "Bidi" : responseStream ? "Stream" : "Unary";
      const types = `${requestType}, ${method.responseType}`;
      return `  ${method.name}: ${kind}Method<${types}>;`;
    }),
    "}",
  ];
}

function messageType({ name, fieldsArray }: protobuf.Type): string[] {
  if (fieldsArray.length === 0) {
    return [
      "/** Has no fields. */",
      `export type ${name} = Readonly<Record<string, never>>;`,
    ];
  }
  return [
    `export interface ${name} {`,
    ...fieldsArray.map(({ name, type, repeated, options }) => {
      const one = SCALARS[type] ?? type;
      const mark = options?.["proto3_optional"] ? "?" : "";
      return `  readonly ${name}${mark}: ${
        repeated ? `readonly ${one}[]` : one
      };`;
    }),
    "}",
  ];
}

Deno.test("the types in proto.ts are those of the .proto files", async () => {
  const root = new protobuf.Root();
  for (const text of Object.values(PROTO_FILES)) protobuf.parse(text, root);
  const { nestedArray } = root.lookup("demo.v1") as protobuf.Namespace;
  const types = nestedArray.map((item) =>
    (item instanceof protobuf.Service
      ? clientType(item)
      : messageType(item as protobuf.Type)).join("\n")
  );
  const source = await Deno.readTextFile(new URL("proto.ts", import.meta.url));
  const [, own = ""] = source.split(/^\/\/ From here on: .*\n\n/m);
  assert.equal(own, types.join("\n\n") + "\n");
});

Deno.test("the service that is checked is the Greeter", () => {
  assert.ok(Greeter.service["Chat"]?.path.startsWith(`/${GREETER_SERVICE}/`));
});

Deno.test("messages keep their fields; numbers are numbers", () => {
  const { responseSerialize, responseDeserialize } = Admin.service[
    "GetCounters"
  ] ?? assert.fail();
  const counters = {
    server: "a",
    uptimeMs: 2 ** 40,
    methods: [{
      method: "SayHello",
      started: 9,
      ok: 2,
      failed: 1,
      cancelled: 3,
      inFlight: 3,
      inFlightMax: 4,
    }],
  };
  assert.deepEqual(
    JSON.parse(
      JSON.stringify(responseDeserialize(responseSerialize(counters))),
    ),
    counters,
  );
});

Deno.test("fields that were not sent have their defaults", () => {
  const { requestSerialize, requestDeserialize } = Greeter.service[
    "SayHello"
  ] ?? assert.fail();
  const { name, workMs } = requestDeserialize(requestSerialize({})) as {
    readonly name: unknown;
    readonly workMs: unknown;
  };
  assert.deepEqual({ name, workMs }, { name: "", workMs: 0 });
});
