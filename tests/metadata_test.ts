/** Metadata that is too large for Envoy, and what its caller is told. */
import assert from "node:assert/strict";
import type { EnvoyConfig } from "../src/stack/envoy_config.ts";
import { parseEnvoyConfig } from "../src/stack/envoy_config.ts";
import { connectionManager } from "../src/experiment/changes.ts";
import { Greeter } from "../src/io/proto.ts";
import { type CallEnd, callToEnd, connect } from "../src/io/rpc.ts";
import { withStack } from "./stacks.ts";

/** Fields of the same length, so many bytes together. */
function metadataOf(bytes: number, fields: number): Record<string, string> {
  const value = "a".repeat(Math.floor(bytes / fields));
  return Object.fromEntries(
    Array.from({ length: fields }, (_, index) => [`x-${index}`, value]),
  );
}

/** Makes one call with such metadata. */
async function callWith(
  target: string,
  metadata: Readonly<Record<string, string>>,
): Promise<CallEnd> {
  const client = connect(Greeter, target);
  const options = { deadlineMs: 10_000, metadata };
  const end = await callToEnd(client, "SayHello", { name: "test" }, options);
  client.close();
  return end;
}

const TOO_LARGE = "Metadata is too large: it may have 16384 bytes and 100 " +
  "fields, those of gRPC included";

Deno.test("metadata that is too large ends as RESOURCE_EXHAUSTED and says why", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    for (const [bytes, fields] of [[15_000, 1], [8000, 80]] as const) {
      const end = await callWith(stack.endpoint, metadataOf(bytes, fields));
      assert.equal(end.status, "OK", `${bytes} bytes in ${fields} fields`);
    }
    for (
      const [bytes, fields] of [
        [16_400, 1],
        [20_000, 1],
        [55_000, 1],
        [2000, 101],
        [20_000, 500],
      ] as const
    ) {
      const end = await callWith(stack.endpoint, metadataOf(bytes, fields));
      const what = `${bytes} bytes in ${fields} fields`;
      assert.equal(end.status, "RESOURCE_EXHAUSTED", what);
      assert.equal(end.details, TOO_LARGE, what);
    }
    const { methods } = await stack.counters("server-1");
    const hello = methods.find(({ method }) => method === "SayHello");
    assert.equal(hello?.started, 2, "no server has seen the others");
  });
});

Deno.test("control: without the filter, Envoy's own limits give no reason", async () => {
  await withStack({ servers: 1, config: withoutFilter() }, async (stack) => {
    for (const [bytes, fields] of [[20_000, 1], [2000, 101]] as const) {
      const end = await callWith(stack.endpoint, metadataOf(bytes, fields));
      assert.equal(end.status, "INTERNAL");
      assert.match(end.details, /^Received RST_STREAM with code 2/);
    }
  });
});

/** The limits as Envoy's codec has them. */
function withoutFilter(): EnvoyConfig {
  const config = parseEnvoyConfig();
  const manager = connectionManager(config);
  const filters = manager["http_filters"] as readonly { name: string }[];
  manager["http_filters"] = filters.filter(({ name }) =>
    !name.endsWith(".rbac")
  );
  manager["max_request_headers_kb"] = 16;
  const options = { ...manager["common_http_protocol_options"] as object };
  manager["common_http_protocol_options"] = {
    ...options,
    max_headers_count: 100,
  };
  return config;
}
