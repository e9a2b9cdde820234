/** grpcurl, which has no .proto files, speaks with the whole native stack. */
import assert from "node:assert/strict";
import { messageOf } from "../src/core/errors.ts";
import { runToEnd } from "../src/io/processes.ts";
import { findTool } from "../src/io/tools.ts";
import { testWhere } from "./needs.ts";
import { withStack } from "./stacks.ts";

const [grpcurl, whyNot] = await findTool("grpcurl").then(
  ({ path }) => [path, undefined] as const,
  (error: unknown) => ["", messageOf(error)] as const,
);

/** What grpcurl prints, as values. */
async function ask(
  target: string,
  method: string,
  request = "{}",
): Promise<unknown[]> {
  const { code, stdout, stderr } = await runToEnd(grpcurl, [
    ...["-plaintext", "-max-time", "10", "-d", request, target, method],
  ]);
  assert.equal(code, 0, stderr);
  return stdout.split(/^(?=\{)/m).map((text) => JSON.parse(text));
}

testWhere("the test with grpcurl", whyNot)(
  "grpcurl finds and calls every service through Envoy",
  () =>
    withStack({ servers: 1 }, async ({ endpoint }) => {
      const { stdout } = await runToEnd(grpcurl, [
        ...["-plaintext", endpoint, "list"],
      ]);
      assert.deepEqual(stdout.trim().split("\n"), [
        "demo.v1.Admin",
        "demo.v1.Greeter",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ]);
      const server = "server-1";
      assert.deepEqual(
        await ask(endpoint, "grpc.health.v1.Health/Check"),
        [{ status: "SERVING" }],
      );
      assert.deepEqual(
        await ask(endpoint, "demo.v1.Greeter/SayHello", '{"work_ms":1}'),
        [{ message: "Hello, world!", server, number: "1" }],
      );
      assert.deepEqual(
        await ask(
          endpoint,
          "demo.v1.Greeter/StreamHellos",
          '{"name":"a","count":2,"interval_ms":1}',
        ),
        ["2", "3"].map((number) => ({ message: "Hello, a!", server, number })),
      );
      assert.deepEqual(
        await ask(endpoint, "demo.v1.Greeter/Chat", '{"text":"hi"}'),
        [{ text: "hi", server, number: "4" }],
      );
    }),
);
