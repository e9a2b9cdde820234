import assert from "node:assert/strict";
import {
  type Client,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
} from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import type { BidiMethod, Service } from "../io/proto.ts";
import { readFile } from "../io/_protoc.ts";
import ofProtoc from "../io/_protoc.json" with { type: "json" };
import { Fixture } from "./_fixture.ts";
import { NPM_PROTO_FILES } from "./npm_protos.ts";

interface Answer {
  readonly listServicesResponse?: {
    readonly service: readonly { readonly name: string }[];
  };
  readonly fileDescriptorResponse?: {
    readonly fileDescriptorProto: readonly Uint8Array[];
  };
  readonly errorResponse?: { readonly errorMessage: string };
}

interface ReflectionClient extends Client {
  ServerReflectionInfo: BidiMethod<object, Answer>;
}

function serviceOf(version: string): Service<ReflectionClient> {
  const text = NPM_PROTO_FILES[`grpc/reflection/${version}/reflection.proto`];
  const { root } = protobuf.parse(text ?? "");
  const loaded = loadPackageDefinition(fromJSON(root.toJSON()));
  const { reflection } = loaded["grpc"] as GrpcObject;
  return ((reflection as GrpcObject)[version] as GrpcObject)[
    "ServerReflection"
  ] as unknown as Service<ReflectionClient>;
}

async function ask(
  client: ReflectionClient,
  request: object,
): Promise<Answer> {
  const options = { deadline: Date.now() + 10_000 };
  const call = client.ServerReflectionInfo(new Metadata(), options);
  call.end(request);
  const answers: Answer[] = [];
  for await (const answer of call) answers.push(answer);
  assert.equal(answers.length, 1);
  return answers[0] ?? {};
}

for (const version of ["v1", "v1alpha"]) {
  Deno.test(`reflection ${version} lists every service that is served`, async () => {
    await using fixture = await Fixture.start();
    const client = fixture.connectTo(serviceOf(version));
    const { listServicesResponse } = await ask(client, { listServices: "*" });
    assert.deepEqual(
      listServicesResponse?.service.map(({ name }) => name).sort(),
      [
        "demo.v1.Admin",
        "demo.v1.Greeter",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ],
    );
  });

  Deno.test(`reflection ${version} publishes our files as they are`, async () => {
    await using fixture = await Fixture.start();
    const client = fixture.connectTo(serviceOf(version));
    const found = await Promise.all([
      ask(client, { fileContainingSymbol: "demo.v1.SayHelloRequest.work_ms" }),
      ask(client, { fileByFilename: "demo/v1/admin.proto" }),
    ]);
    assert.deepEqual(
      found.map(({ fileDescriptorResponse }) =>
        fileDescriptorResponse?.fileDescriptorProto.map(readFile)
      ),
      ofProtoc.map((file) => [file]),
    );
  });
}

Deno.test("reflection publishes the files of health and of itself", async () => {
  await using fixture = await Fixture.start();
  const client = fixture.connectTo(serviceOf("v1"));
  for (
    const [fileContainingSymbol, name] of [
      ["grpc.health.v1.Health.Check", "grpc/health/v1/health.proto"],
      [
        "grpc.reflection.v1.ServerReflection",
        "grpc/reflection/v1/reflection.proto",
      ],
      [
        "grpc.reflection.v1alpha.ServerReflection",
        "grpc/reflection/v1alpha/reflection.proto",
      ],
    ] as const
  ) {
    const { fileDescriptorResponse } = await ask(client, {
      fileContainingSymbol,
    });
    assert.deepEqual(
      fileDescriptorResponse?.fileDescriptorProto
        .map((file) => readFile(file).name),
      [name],
    );
  }
});

Deno.test("reflection says which name it does not know", async () => {
  await using fixture = await Fixture.start();
  const { errorResponse } = await ask(fixture.connectTo(serviceOf("v1")), {
    fileByFilename: "demo_v1.proto",
  });
  assert.equal(
    errorResponse?.errorMessage,
    "Proto file not found: demo_v1.proto",
  );
});
