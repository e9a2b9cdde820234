/** What envoy.yaml promises, read off the file and checked by Envoy itself. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { at as valueAt, parseYaml } from "../src/core/yaml.ts";
import { runToEnd } from "../src/io/processes.ts";
import { GREETER_SERVICE } from "../src/io/proto.ts";
import { findTool } from "../src/io/tools.ts";
import envoyYaml from "../envoy.yaml" with { type: "text" };

const CONFIG = parseYaml(envoyYaml, "envoy.yaml");

const HTTP2 = "typed_extension_protocol_options/" +
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions/" +
  "explicit_http_config/http2_protocol_options";
const MANAGER = "static_resources/listeners/grpc/filter_chains/0/filters/0/" +
  "typed_config";
const ROUTES = `${MANAGER}/route_config/virtual_hosts/grpc/routes`;
const L4_PROXY = "static_resources/listeners/l4/filter_chains/0/filters/0/" +
  "typed_config";
const CLUSTER = "static_resources/clusters/grpc-server";
const L4_CLUSTER = "static_resources/clusters/grpc-server-l4";

/** The value at a path of fields, indices and names; undefined if none. */
function at(path: string): unknown {
  // The extension's name has no slash, so a slash can part the steps.
  return valueAt(CONFIG, ...path.split("/"));
}

/** Where, which value, and what breaks with another one. */
const PROMISES: readonly (readonly [string, unknown, string])[] = [
  [
    `${CLUSTER}/type`,
    "STRICT_DNS",
    "every address of the name is a server of its own",
  ],
  [`${CLUSTER}/lb_policy`, "ROUND_ROBIN", "equal shares are what is shown"],
  [
    `${CLUSTER}/dns_lookup_family`,
    "V4_ONLY",
    "a lookup for IPv6 first delays every change",
  ],
  [`${CLUSTER}/dns_refresh_rate`, "1s", "a new server is seen in a second"],
  [
    `${CLUSTER}/respect_dns_ttl`,
    undefined,
    "Docker's answers would be kept for 600 s",
  ],
  [
    `${CLUSTER}/common_lb_config/healthy_panic_threshold/value`,
    0,
    "panic hides that health checks fail",
  ],
  [
    `${CLUSTER}/common_lb_config/update_merge_window`,
    "0s",
    "a second dead server would be called for another second",
  ],
  [
    `${CLUSTER}/common_lb_config/ignore_new_hosts_until_first_hc`,
    true,
    "a new server would be called before it is checked",
  ],
  [
    `${CLUSTER}/ignore_health_on_host_removal`,
    false,
    "an empty answer of DNS would empty the cluster",
  ],
  [
    `${CLUSTER}/health_checks/0/grpc_health_check/service_name`,
    GREETER_SERVICE,
    "servers register no other name, so all checks would fail",
  ],
  [
    `${CLUSTER}/health_checks/0/no_traffic_interval`,
    "1s",
    "the first failed check would stand for 60 s",
  ],
  [
    `${L4_CLUSTER}/health_checks/0/grpc_health_check/service_name`,
    GREETER_SERVICE,
    "the dead are left out on L4 too",
  ],
  [
    `${CLUSTER}/${HTTP2}/connection_keepalive/timeout`,
    "0.25s",
    "calls on a paused server would wait for their deadline",
  ],
  [
    `${CLUSTER}/${HTTP2}/override_stream_error_on_invalid_http_message`,
    true,
    "one bad reply would end everybody's calls",
  ],
  [
    `${CLUSTER}/outlier_detection/max_ejection_percent`,
    67,
    "one of three is 33 %, and the default of 10 never ejects it",
  ],
  [
    `${CLUSTER}/outlier_detection/enforcing_consecutive_gateway_failure`,
    100,
    "UNAVAILABLE would not eject",
  ],
  [
    `${CLUSTER}/outlier_detection/enforcing_consecutive_5xx`,
    0,
    "calls of unknown methods would eject servers",
  ],
  [
    `${CLUSTER}/outlier_detection/split_external_local_origin_errors`,
    true,
    "connect errors would be counted with replies",
  ],
  [
    `${CLUSTER}/outlier_detection/successful_active_health_check_uneject_host`,
    false,
    "the next good check would bring a failing server back",
  ],
  [
    `${CLUSTER}/circuit_breakers/thresholds/0/retry_budget`,
    { budget_percent: { value: 20 }, min_retry_concurrency: 20 },
    "the default of 3 retries is used up by one dead server",
  ],
  [
    `${CLUSTER}/circuit_breakers/thresholds/0/track_remaining`,
    true,
    "how much is left could not be seen",
  ],
  [
    `${ROUTES}/unary/route/retry_policy/retry_on`,
    "connect-failure,refused-stream,reset,unavailable",
    "neither oversize nor cancelled calls may be retried",
  ],
  [
    `${ROUTES}/unary/route/retry_policy/num_retries`,
    2,
    "two of three servers may die at once",
  ],
  [
    `${ROUTES}/unary/route/retry_policy/retry_host_predicate/0/name`,
    "envoy.retry_host_predicates.previous_hosts",
    "a retry would go to the dead server again",
  ],
  [
    `${ROUTES}/unary/route/retry_policy/per_try_timeout`,
    undefined,
    "slow calls would run twice",
  ],
  [
    `${ROUTES}/unary/route/max_stream_duration`,
    { max_stream_duration: "15s", grpc_timeout_header_max: "65s" },
    "a caller's deadline would be ignored, or none would hold",
  ],
  [
    `${MANAGER}/normalize_path`,
    true,
    '"/demo.v1.Greeter/../" would reach the servers',
  ],
  [`${MANAGER}/codec_type`, "HTTP2", "gRPC is nothing else"],
  [
    "admin/address",
    { pipe: { path: "@grpc-demo-admin" } },
    "a port is reached by every page in a browser",
  ],
  [
    "static_resources/listeners/grpc/listener_filters_timeout",
    "2s",
    "silent peers would hold their places for 300 s",
  ],
  [
    `${L4_PROXY}/idle_timeout`,
    "300s",
    "an idle connection would hold its place for an hour",
  ],
  [
    `${MANAGER}/request_headers_timeout`,
    "5s",
    "headers sent byte by byte would hold memory",
  ],
];

for (const [path, expected, reason] of PROMISES) {
  const name = path.split("/").slice(-2).join(".");
  Deno.test(`envoy.yaml has ${name} = ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(at(path), expected, reason);
  });
}

Deno.test("envoy.yaml routes the callers' services and no other", () => {
  const routes = at(ROUTES) as { match: Record<string, unknown> }[];
  assert.deepEqual(
    routes.filter((route) => "route" in route)
      .map(({ match }) => match["path"] ?? match["prefix"]),
    [
      "/demo.v1.Greeter/StreamHellos",
      "/demo.v1.Greeter/Chat",
      "/demo.v1.Greeter/",
      "/grpc.health.v1.Health/",
      "/grpc.reflection.v1.ServerReflection/",
      "/grpc.reflection.v1alpha.ServerReflection/",
    ],
  );
  assert.ok(routes.every(({ match }) => "grpc" in match), "gRPC only");
});

Deno.test("envoy.yaml cuts no stream and tries none again once begun", () => {
  for (const name of ["stream-hellos", "chat", "health", "reflection"]) {
    assert.equal(at(`${ROUTES}/${name}/route/timeout`), "0s", name);
    assert.equal(at(`${ROUTES}/${name}/route/priority`), "HIGH", name);
    assert.equal(
      at(`${ROUTES}/${name}/route/retry_policy/retry_on`),
      "connect-failure,refused-stream",
      name,
    );
  }
});

Deno.test("envoy.yaml has the addresses that Compose publishes", () => {
  const addresses = [
    "static_resources/listeners/grpc",
    "static_resources/listeners/l4",
    "static_resources/listeners/admin",
  ].map((path) => at(`${path}/address/socket_address`));
  assert.deepEqual(addresses, [
    { address: "0.0.0.0", port_value: 5000 },
    { address: "0.0.0.0", port_value: 5001 },
    { address: "0.0.0.0", port_value: 9901 },
  ]);
});

Deno.test("envoy.yaml lets nobody stop or change Envoy by its page", () => {
  const rules = at("admin/allow_paths") as {
    exact?: string;
    prefix?: string;
    safe_regex?: { regex: string };
  }[];
  const isAllowed = (path: string) =>
    rules.some(({ exact, prefix, safe_regex }) =>
      path === exact || (prefix !== undefined && path.startsWith(prefix)) ||
      (safe_regex !== undefined &&
        new RegExp(`^(?:${safe_regex.regex})$`).test(path))
    );
  const open = ["/", "/clusters?format=json", "/ready", "/runtime", "/stats"];
  assert.deepEqual(open.filter((path) => !isAllowed(path)), []);
  const shut = [
    ...["/quitquitquit", "/logging?level=trace", "/runtime_modify?a=b"],
    ...["/cpuprofiler", "/heapprofiler", "/heap_dump", "/reset_counters"],
  ];
  assert.deepEqual(shut.filter(isAllowed), []);
});

Deno.test("envoy.yaml limits each listener, and all of them above the sum", () => {
  const listeners = at("static_resources/listeners") as { name: string }[];
  const sum = listeners.map(({ name }) => {
    const key = `envoy.resource_limits.listener.${name}.connection_limit`;
    const limit = at(`layered_runtime/layers/static/static_layer/${key}`);
    assert.ok(typeof limit === "number" && limit > 0, name);
    return limit;
  }).reduce((total, limit) => total + limit, 0);
  const monitor = "envoy.resource_monitors.global_downstream_max_connections";
  const all = at(
    `overload_manager/resource_monitors/${monitor}/typed_config/` +
      "max_active_downstream_connections",
  );
  assert.ok(Number(all) > sum, `${all} for all, ${sum} for each`);
});

Deno.test("envoy.yaml drains the listeners of callers and not the admin page", () => {
  const directions = ["grpc", "l4", "admin"].map((name) =>
    at(`static_resources/listeners/${name}/traffic_direction`)
  );
  assert.deepEqual(directions, ["INBOUND", "INBOUND", undefined]);
});

Deno.test("envoy.yaml has no comment between a key and its value", () => {
  const torn = envoyYaml.matchAll(/^[^#\n]*:(?: &\w+)?(?: +#.*|\n +#.*)$/gm);
  assert.deepEqual([...torn].map(([lines]) => lines), []);
});

Deno.test("envoy.yaml is valid to the real Envoy", async () => {
  const envoy = await findTool("envoy");
  const { code, stdout, stderr } = await runToEnd(envoy.path, [
    ...["--mode", "validate", "--log-level", "warning"],
    ...["-c", fileURLToPath(new URL("../envoy.yaml", import.meta.url))],
  ], { timeoutMs: 20_000 });
  assert.equal(code, 0, stdout + stderr);
  // The file says why it keeps these fields.
  const deprecated = [...stderr.matchAll(/deprecated option '([^']+)'/g)]
    .map(([, field]) => field?.split(".").at(-1));
  assert.deepEqual([...new Set(deprecated)], [
    "dns_refresh_rate",
    "dns_failure_refresh_rate",
  ]);
});
