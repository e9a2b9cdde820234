import assert from "node:assert/strict";
import { call, calls, history } from "../src/experiment/_history.ts";
import { grpcCluster, partAt } from "../src/experiment/changes.ts";
import { parseEnvoyConfig } from "../src/stack/envoy_config.ts";
import { judgeOf } from "./_claims.ts";
import { pausedServer } from "./paused_server.ts";

Deno.test("paused-server: a lost call may not be held either", () => {
  const judge = judgeOf(pausedServer, "held");
  const slow = call({ status: "DEADLINE_EXCEEDED", latencyMs: 2000 });
  assert.equal(judge(history({ calls: calls(60) })).verdict, "held");
  const found = judge(history({ calls: [...calls(60), slow] }));
  assert.equal(found.verdict, "broken");
});

Deno.test("paused-server: its control takes the pings of calls only", () => {
  const config = parseEnvoyConfig();
  pausedServer.control.changes?.forEach(({ apply }) => apply(config));
  const http2 = (cluster: unknown) =>
    partAt(
      cluster,
      "typed_extension_protocol_options",
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      "explicit_http_config",
      "http2_protocol_options",
    );
  const l4 = config.static_resources.clusters
    .find(({ name }) => name === "grpc-server-l4");
  assert.equal("connection_keepalive" in http2(grpcCluster(config)), false);
  assert.equal("connection_keepalive" in http2(l4), true);
});
