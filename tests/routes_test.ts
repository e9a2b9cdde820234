/** Calls that Envoy has no server for, and what their caller is told. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { parseEnvoyConfig } from "../src/stack/envoy_config.ts";
import { connectionManager, partAt } from "../src/experiment/changes.ts";
import { Greeter } from "../src/io/proto.ts";
import { connect } from "../src/io/rpc.ts";
import { withStack } from "./stacks.ts";

const GET_COUNTERS = "/demo.v1.Admin/GetCounters";

/** One call without a request. @returns Its error; null if it is OK. */
function callOf(target: string, path: string): Promise<ServiceError | null> {
  const client = connect(Greeter, target);
  return new Promise<ServiceError | null>((resolve) =>
    client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      (reply) => reply,
      Buffer.alloc(0),
      new Metadata(),
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null) => resolve(error),
    )
  ).finally(() => client.close());
}

Deno.test("a call that is not served is UNIMPLEMENTED and says why", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    for (
      const [path, words] of [
        [GET_COUNTERS, /^demo\.v1\.Admin .* call the server itself/],
        ["/demo.v1.Admins/GetCounters", /^No such method here: /],
        ["/demo.v1.greeter/SayHello", /^No such method here: /],
        ["/", /^No such method here: /],
      ] as const
    ) {
      const error = await callOf(stack.endpoint, path);
      assert.equal(error?.code, status.UNIMPLEMENTED, path);
      assert.match(error?.details ?? "", words, path);
    }
    // Bytes only, so whoever reaches this port reaches all services.
    assert.equal(await callOf(stack.l4Endpoint, GET_COUNTERS), null);
  });
});

Deno.test("control: without the last routes there is no word why", async () => {
  const config = parseEnvoyConfig();
  const host = partAt(
    connectionManager(config),
    ...["route_config", "virtual_hosts", 0],
  );
  const routes = host["routes"] as readonly Record<string, unknown>[];
  host["routes"] = routes.filter((route) => !("direct_response" in route));
  await withStack({ servers: 1, config }, async (stack) => {
    const error = await callOf(stack.endpoint, GET_COUNTERS);
    assert.equal(error?.code, status.UNIMPLEMENTED);
    assert.equal(error?.details, "");
  });
});
