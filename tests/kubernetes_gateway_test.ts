/** deploy/kubernetes/gateway says what envoy.yaml says, in other words. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { PROJECT } from "../bootstrap/docker/machine.ts";
import { at, type Fields, fieldsOf, partAt } from "../src/core/yaml.ts";
import {
  connectionManager,
  grpcCluster,
  routeAction,
  upstreamHttp2,
} from "../src/experiment/changes.ts";
import { parseEnvoyConfig } from "../src/stack/envoy_config.ts";
import { envoyYamlForKubernetes } from "../src/stack/envoy_kubernetes.ts";

const ENVOY = parseEnvoyConfig(envoyYamlForKubernetes());
const CLUSTER = grpcCluster(ENVOY);
const MANAGER = connectionManager(ENVOY);

/** Fields of a policy's `spec`, by their path, and envoy.yaml's values. */
type Values = Readonly<Record<string, unknown>>;

/** The value at a path, as "circuit_breakers.thresholds.0". */
function read(from: unknown, path: string): unknown {
  return at(from, ...path.split("."));
}

/** What both routes' policies have; `thresholds` is the row of a priority. */
function routeValues(route: string, thresholds: number): Values {
  const action = routeAction(ENVOY, route);
  const retry = fieldsOf(action["retry_policy"]);
  const breaker = read(CLUSTER, `circuit_breakers.thresholds.${thresholds}`);
  const check = fieldsOf(read(CLUSTER, "health_checks.0"));
  const outliers = fieldsOf(CLUSTER["outlier_detection"]);
  const http2 = upstreamHttp2(ENVOY);
  const values: readonly (readonly [string, Values])[] = [
    ["", {
      "loadBalancer.type": "RoundRobin",
      "timeout.tcp.connectTimeout": CLUSTER["connect_timeout"],
      "timeout.http.requestTimeout": action["timeout"] ??
        read(action, "max_stream_duration.max_stream_duration"),
    }],
    ["retry.", {
      numRetries: retry["num_retries"],
      "perRetry.backOff.baseInterval": read(
        retry,
        "retry_back_off.base_interval",
      ),
      "perRetry.backOff.maxInterval": read(
        retry,
        "retry_back_off.max_interval",
      ),
      "retryOn.triggers": String(retry["retry_on"]).split(","),
    }],
    ["healthCheck.", {
      panicThreshold: read(
        CLUSTER,
        "common_lb_config.healthy_panic_threshold.value",
      ),
      "active.type": "GRPC",
      "active.grpc.service": read(check, "grpc_health_check.service_name"),
      "active.interval": check["interval"],
      "active.timeout": check["timeout"],
      "active.unhealthyThreshold": check["unhealthy_threshold"],
      "active.healthyThreshold": check["healthy_threshold"],
    }],
    ["healthCheck.passive.", {
      splitExternalLocalOriginErrors:
        outliers["split_external_local_origin_errors"],
      consecutive5XxErrors: outliers["enforcing_consecutive_5xx"],
      // Envoy's default.
      consecutiveGatewayErrors: outliers["consecutive_gateway_failure"] ?? 5,
      interval: outliers["interval"],
      baseEjectionTime: outliers["base_ejection_time"],
      maxEjectionPercent: outliers["max_ejection_percent"],
    }],
    ["circuitBreaker.", {
      maxParallelRequests: read(breaker, "max_requests"),
      maxPendingRequests: read(breaker, "max_pending_requests"),
      "retryBudget.percent.numerator": read(
        breaker,
        "retry_budget.budget_percent.value",
      ),
      "retryBudget.minRetryConcurrency": read(
        breaker,
        "retry_budget.min_retry_concurrency",
      ),
    }],
    ["http2.", {
      "connectionKeepalive.interval": read(
        http2,
        "connection_keepalive.interval",
      ),
      // It must be below the interval, as the file says.
      "connectionKeepalive.timeout": "0.2s",
      initialConnectionWindowSize: http2["initial_connection_window_size"],
      onInvalidMessage: "TerminateStream",
    }],
  ];
  return Object.fromEntries(
    values.flatMap(([prefix, part]) =>
      Object.entries(part).map(([path, value]) => [prefix + path, value])
    ),
  );
}

const LIMITS = read(ENVOY, "layered_runtime.layers.static.static_layer");

const EXPECTED: Readonly<Record<string, Values>> = {
  "BackendTrafficPolicy unary": routeValues("unary", 0),
  "BackendTrafficPolicy streams": routeValues("stream-hellos", 1),
  "ClientTrafficPolicy grpc": {
    "connection.connectionLimit.value": at(
      LIMITS,
      "envoy.resource_limits.listener.grpc.connection_limit",
    ),
    "connection.connectionLimit.maxConnectionDuration": read(
      MANAGER,
      "common_http_protocol_options.max_connection_duration",
    ),
    "timeout.tcp.connectionInspectionTimeout": read(
      ENVOY,
      "static_resources.listeners.grpc.listener_filters_timeout",
    ),
    "timeout.http.idleTimeout": read(
      MANAGER,
      "common_http_protocol_options.idle_timeout",
    ),
    "timeout.http.streamIdleTimeout": MANAGER["stream_idle_timeout"],
    "timeout.http.requestHeadersReceivedTimeout":
      MANAGER["request_headers_timeout"],
    "path.escapedSlashesAction": "RejectRequest",
    "http2.connectionKeepalive.interval": read(
      MANAGER,
      "http2_protocol_options.connection_keepalive.interval",
    ),
    "http2.connectionKeepalive.timeout": read(
      MANAGER,
      "http2_protocol_options.connection_keepalive.timeout",
    ),
  },
};

/** The objects of the file, by kind and name. */
async function readGateway(): Promise<ReadonlyMap<string, Fields>> {
  const text = await Deno.readTextFile(
    `${PROJECT}deploy/kubernetes/gateway/gateway.yaml`,
  );
  return new Map(
    parseAllDocuments(text).map((document) => {
      const object = fieldsOf(document.toJS());
      return [`${object["kind"]} ${at(object, "metadata", "name")}`, object];
    }),
  );
}

/** All values below a mapping, by their path. Lists are values. */
function leavesOf(value: Fields, prefix = ""): [string, unknown][] {
  return Object.entries(value).flatMap(([key, below]) =>
    typeof below === "object" && !Array.isArray(below)
      ? leavesOf(fieldsOf(below), `${prefix}${key}.`)
      : [[prefix + key, below] as [string, unknown]]
  );
}

const MIB = 1_048_576;

/** "250ms", "0.25s" and 0.25 s are the same, and "32Mi" is 33554432. */
function plain(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const [, number, unit] = /^([0-9.]+)(ms|s|Mi)$/.exec(value) ?? [];
  if (number === undefined) return value;
  if (unit === "Mi") return Number(number) * MIB;
  return `${unit === "ms" ? Number(number) : Number(number) * 1000} ms`;
}

/** Where a policy's values are not the expected ones. */
function differences(policy: Fields, expected: Values): readonly string[] {
  const { targetRefs: _, ...spec } = fieldsOf(policy["spec"]);
  const found = Object.fromEntries(leavesOf(spec));
  return [...new Set([...Object.keys(found), ...Object.keys(expected)])]
    .filter((path) => {
      const [a, b] = [found[path], expected[path]];
      return a === undefined || b === undefined ||
        JSON.stringify(plain(a)) !== JSON.stringify(plain(b));
    });
}

Deno.test("The policies of gateway/ have the values of envoy.yaml", async () => {
  const objects = await readGateway();
  const policies = [...objects.keys()].filter((name) => /Policy /.test(name))
    .filter((name) => !name.startsWith("NetworkPolicy"));
  assert.deepEqual(policies.sort(), Object.keys(EXPECTED).sort());
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const policy = objects.get(name) ?? {};
    assert.deepEqual(differences(policy, expected), [], name);
    // The control: every other value is a difference.
    for (const path of Object.keys(expected)) {
      const changed = structuredClone(policy);
      const steps = path.split(".");
      const last = steps.pop() ?? "";
      partAt(changed, "spec", ...steps)[last] = "another";
      assert.deepEqual(differences(changed, expected), [path]);
    }
  }
});

Deno.test("gateway/ routes what envoy.yaml routes, in the same two ways", async () => {
  const objects = await readGateway();
  const names = (route: string) =>
    (read(objects.get(`GRPCRoute ${route}`), "spec.rules.0.matches") as {
      readonly method: { readonly service: string; readonly method?: string };
    }[]).map(({ method: { service, method = "" } }) => `/${service}/${method}`);
  const routes = read(
    MANAGER,
    "route_config.virtual_hosts.grpc.routes",
  ) as Fields[];
  const matches = (isStream: boolean) =>
    routes.filter(({ route }) =>
      route !== undefined &&
      (at(route, "priority") === "HIGH") === isStream
    ).map(({ match }) => at(match, "path") ?? at(match, "prefix"));
  assert.deepEqual(names("streams"), matches(true));
  assert.deepEqual(names("unary"), matches(false));
});
