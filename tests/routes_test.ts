/** Calls that Envoy has no server for, and what their caller is told. */
import assert from "node:assert/strict";
import { parseEnvoyConfig } from "../src/stack/envoy_config.ts";
import { partAt } from "../src/core/yaml.ts";
import { connectionManager } from "../src/experiment/changes.ts";
import { Greeter } from "../src/io/proto.ts";
import { callBytes, type CallEnd, connect } from "../src/io/rpc.ts";
import { withStack } from "./stacks.ts";

const GET_COUNTERS = "/demo.v1.Admin/GetCounters";

/** One call without a request. */
async function callOf(target: string, path: string): Promise<CallEnd> {
  const client = connect(Greeter, target);
  const options = { deadlineMs: 10_000 };
  const end = await callBytes(client, path, new Uint8Array(), options);
  client.close();
  return end;
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
      const end = await callOf(stack.endpoint, path);
      assert.equal(end.status, "UNIMPLEMENTED", path);
      assert.match(end.details, words, path);
    }
    // Bytes only, so whoever reaches this port reaches all services.
    const end = await callOf(stack.l4Endpoint, GET_COUNTERS);
    assert.equal(end.status, "OK");
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
    const end = await callOf(stack.endpoint, GET_COUNTERS);
    assert.equal(end.status, "UNIMPLEMENTED");
    assert.equal(end.details, "");
  });
});
