import assert from "node:assert/strict";
import { call, calls, history } from "../src/experiment/_history.ts";
import { partAt } from "../src/core/yaml.ts";
import { changedConfig } from "../src/experiment/authors.ts";
import { judgeOf } from "./_claims.ts";
import { pausedServer } from "./paused_server.ts";

Deno.test("paused-server: a lost call may not be held either", () => {
  const judge = judgeOf(pausedServer, "held");
  const slow = call({ status: "DEADLINE_EXCEEDED", latencyMs: 2000 });
  assert.equal(judge(history({ calls: calls(60) })).verdict, "held");
  const found = judge(history({ calls: [...calls(60), slow] }));
  assert.equal(found.verdict, "broken");
});

Deno.test("paused-server: its control keeps the pings of the L4 cluster", () => {
  const config = changedConfig(pausedServer.control.changes ?? []);
  const http2 = (cluster: string) =>
    partAt(
      config,
      ...["static_resources", "clusters", cluster],
      "typed_extension_protocol_options",
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      ...["explicit_http_config", "http2_protocol_options"],
    );
  assert.equal("connection_keepalive" in http2("grpc-server"), false);
  assert.equal("connection_keepalive" in http2("grpc-server-l4"), true);
});
