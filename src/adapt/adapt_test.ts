import assert from "node:assert/strict";
import { at } from "../core/yaml.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { ENVOY_YAML, parseEnvoyConfig } from "../stack/envoy_config.ts";
import { adapt } from "./adapt.ts";
import {
  adapted,
  clusterOf,
  filter,
  hostOf,
  managerOf,
  type Parts,
  ROUTER,
  routesOf,
} from "./_fixture.ts";

const TLS = "transport_socket: { name: tls, typed_config: " +
  '{ "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.';

const HTTP2 =
  'typed_extension_protocol_options: { h: { "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, ';

Deno.test("adapt() makes a file that a stack can use, and says what it did", () => {
  const { config, replaced } = adapted({});
  assert.doesNotThrow(() => parseEnvoyConfig(JSON.stringify(config)));
  assert.deepEqual(replaced, [
    'listener "in": is called "grpc"',
    'listener "in": listens on this machine only, in place of 10.0.0.1:80',
    'listener "in": writes its access log as envoy.yaml does',
    'route "/acme.A/": calls of demo.v1.Greeter stand for those of acme.A',
    'cluster "a": is called "grpc-server"',
    'cluster "a": the local servers in place of a.example:443',
  ]);
});

Deno.test("adapt() keeps what envoy.yaml says of calls", () => {
  const { config } = adapt(readConfiguration(ENVOY_YAML, "envoy.yaml"), {
    readNamed: () => undefined,
  });
  const own = parseEnvoyConfig();
  const of = (name: string, from: unknown) =>
    at(from, "static_resources", "clusters", name);
  assert.deepEqual(
    { ...of("grpc-server", config) as object, load_assignment: 0 },
    { ...of("grpc-server", own) as object, load_assignment: 0 },
  );
  const path = ["filter_chains", 0, "filters", 0, "typed_config"] as const;
  const manager = (from: unknown) =>
    at(from, "static_resources", "listeners", "grpc", ...path) as object;
  assert.deepEqual(
    { ...manager(config), route_config: 0 },
    { ...manager(own), route_config: 0 },
  );
  assert.deepEqual(config["overload_manager"], own["overload_manager"]);
});

/** What is replaced, with what must be said and what must be there then. */
const ROWS: readonly {
  readonly what: string;
  readonly parts: Parts;
  readonly says: string;
  readonly now: (of: ReturnType<typeof adapted>) => unknown;
  readonly is: unknown;
}[] = [
  {
    what: "TLS of callers",
    parts: {
      chain: `${TLS}DownstreamTlsContext, require_client_certificate: true } }`,
    },
    says: 'listener "in": without its TLS: calls come in plain text',
    now: ({ config }) =>
      Object.keys(at(
        config,
        ...["static_resources", "listeners", "grpc", "filter_chains", 0],
      ) as object),
    is: ["filters"],
  },
  {
    what: "a redirect to TLS",
    parts: { host: 'domains: ["*"], require_tls: ALL' },
    says: 'virtual host "v": without require_tls',
    now: (of) => hostOf(of)["require_tls"],
    is: undefined,
  },
  {
    what: "the names that a host answers to",
    parts: { host: 'domains: ["a.example"]' },
    says: 'virtual host "v": answers to every name, not only to a.example',
    now: (of) => hostOf(of)["domains"],
    is: ["*"],
  },
  {
    what: "TLS of servers",
    parts: { cluster: `type: STRICT_DNS\n      ${TLS}UpstreamTlsContext } }` },
    says: 'cluster "a": without transport_socket',
    now: (of) => clusterOf(of)["transport_socket"],
    is: undefined,
  },
  {
    what: "HTTP/2 by ALPN, which plain text does not have",
    parts: {
      cluster: `type: STRICT_DNS\n      ${TLS}UpstreamTlsContext } }\n` +
        `      ${HTTP2}auto_config: { http2_protocol_options: { max_concurrent_streams: 7 } } } }`,
    },
    says:
      'cluster "a": explicit_http_config with HTTP/2 in place of auto_config',
    now: (of) => clusterOf(of)["typed_extension_protocol_options"],
    is: {
      h: {
        "@type":
          "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: {
          http2_protocol_options: { max_concurrent_streams: 7 },
        },
      },
    },
  },
  {
    what: "EDS",
    parts: {
      cluster: "type: EDS\n      eds_cluster_config: " +
        "{ eds_config: { ads: {}, resource_api_version: V3 } }",
    },
    says:
      'cluster "a": servers come from DNS, asked every second, not from EDS',
    now: (of) => [clusterOf(of)["type"], clusterOf(of)["eds_cluster_config"]],
    is: ["STRICT_DNS", undefined],
  },
  {
    what: "a health check of HTTP",
    parts: {
      cluster: "type: STRICT_DNS\n      health_checks: " +
        "[{ interval: 3s, http_health_check: { path: /ok } }]",
    },
    says: 'cluster "a": grpc_health_check in place of http_health_check',
    now: (of) => clusterOf(of)["health_checks"],
    is: [{
      interval: "3s",
      grpc_health_check: { service_name: "demo.v1.Greeter" },
    }],
  },
  {
    what: "a filter that asks others",
    parts: {
      host: 'domains: ["*"], typed_per_filter_config: { authz: { "@type": ' +
        "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute, disabled: true } }",
      filters: `${
        filter(
          "authz",
          "ext_authz.v3.ExtAuthz",
          "grpc_service: { envoy_grpc: { cluster_name: z } }",
        )
      }, ${ROUTER}`,
    },
    says: 'listener "in": without the filter authz, which asks others, or ' +
      "turns away callers that it does not know",
    now: (of) => [
      managerOf(of)["http_filters"],
      hostOf(of)["typed_per_filter_config"],
    ],
    is: [[{
      name: "router",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
      },
    }], {}],
  },
  {
    what: "a known filter that reads a file",
    parts: {
      filters: `${
        filter("lua", "lua.v3.Lua", "default_source_code: { filename: /x.lua }")
      }, ${ROUTER}`,
    },
    says:
      'listener "in": without the filter lua, which asks others or reads files',
    now: (of) => (managerOf(of)["http_filters"] as unknown[]).length,
    is: 1,
  },
  {
    what: "new paths for servers",
    parts: {
      routes: "{ name: r, match: { prefix: /acme.A/ }, route: " +
        "{ cluster: a, prefix_rewrite: /v2/acme.A/ } }",
    },
    says: 'route "unary": without prefix_rewrite',
    now: (of) => routesOf(of)[0]?.["route"],
    is: { cluster: "grpc-server" },
  },
  {
    what: "the lighter of two clusters",
    parts: {
      routes: "{ match: { prefix: /acme.A/ }, route: { weighted_clusters: " +
        "{ clusters: [{ name: b, weight: 1 }, { name: a, weight: 9 }] } } }",
      clusters: "- { name: b, type: STRICT_DNS }",
    },
    says: 'route "unary": only the heaviest of its clusters, "a"',
    now: (of) => routesOf(of)[0]?.["route"],
    is: { cluster: "grpc-server" },
  },
  {
    what: "a listener's limit, by its new name",
    parts: {
      bootstrap: "layered_runtime: { layers: [{ name: s, static_layer: " +
        "{ envoy.resource_limits.listener.in.connection_limit: 9 } }, " +
        "{ name: d, disk_layer: { symlink_root: /srv } }] }",
    },
    says: "layered_runtime: without the layers that are not static",
    now: ({ config }) => config["layered_runtime"],
    is: {
      layers: [{
        name: "s",
        static_layer: {
          "envoy.resource_limits.listener.grpc.connection_limit": 9,
        },
      }],
    },
  },
];

for (const { what, parts, says, now, is } of ROWS) {
  Deno.test(`adapt() replaces ${what}`, () => {
    const found = adapted(parts);
    assert.ok(found.replaced.includes(says), found.replaced.join("\n"));
    assert.deepEqual(now(found), is);
  });
}

Deno.test("adapt() gives routes the retries of their host", () => {
  const host = 'domains: ["*"], retry_policy: { retry_on: reset }';
  const own = "retry_policy: { retry_on: unavailable }";
  const found = adapted({
    host,
    routes:
      `{ match: { path: /acme.A/Get }, route: { cluster: a, ${own} } }, ` +
      "{ match: { prefix: /acme.A/ }, route: { cluster: a } }",
  });
  assert.equal(hostOf(found)["retry_policy"], undefined);
  assert.deepEqual(
    routesOf(found).map(({ route }) => at(route, "retry_policy", "retry_on")),
    ["unavailable", "reset"],
  );
});

/** What the doctor calls "unknown-service" must not be mended here. */
for (
  const [service, becomes] of [
    ["acme.A", "demo.v1.Greeter"],
    ["acme.Typo", "acme.Typo"],
    ["", ""],
  ] as const
) {
  Deno.test(`adapt() makes of health checks of "${service}" those of "${becomes}"`, () => {
    const checks = "health_checks: [{ grpc_health_check: { service_name: " +
      `"${service}" } }]`;
    const found = adapted({ cluster: `type: STRICT_DNS\n      ${checks}` });
    assert.equal(
      at(clusterOf(found), "health_checks", 0, ...CHECKED),
      becomes,
    );
  });
}

Deno.test("adapt() replaces any health service where routes name none", () => {
  const found = adapted({
    routes: "{ match: { prefix: / }, route: { cluster: a } }",
    cluster: "type: STRICT_DNS\n      health_checks: " +
      "[{ grpc_health_check: { service_name: any.Name } }]",
  });
  const name = at(clusterOf(found), "health_checks", 0, ...CHECKED);
  assert.equal(name, "demo.v1.Greeter");
});

const CHECKED = ["grpc_health_check", "service_name"] as const;

/** Names of fields that are none. */
const MANY = Array.from({ length: 23 }, (_, index) => `none_${index}`);

const MISSING: readonly (readonly [string, Parts, string])[] = [
  [
    "LOGICAL_DNS",
    { cluster: "type: LOGICAL_DNS" },
    'cluster "a" has one address at a time, so that calls are not balanced: ' +
    "it must be STRICT_DNS, not LOGICAL_DNS",
  ],
  [
    "a cluster without fixed servers",
    { cluster: "type: ORIGINAL_DST" },
    'cluster "a" finds servers by ORIGINAL_DST, which has no counterpart on ' +
    "this machine",
  ],
  [
    "everything that is missing at once",
    {
      routes: "{ match: { prefix: /acme.A/ }, route: { cluster: b } }, " +
        "{ match: { prefix: /acme.B/ }, route: { cluster_header: x } }",
    },
    "it has no route for gRPC calls to a cluster; " +
    'it has no cluster "b"; a route whose cluster_header decides the cluster',
  ],
  [
    "what Envoy refuses",
    { cluster: "type: STRICT_DNS\n      lb_policy: BEST" },
    'line 24: static_resources.clusters[0].lb_policy: "BEST" is not one of ' +
    "its values",
  ],
  [
    "many things of every kind, what a call needs first",
    {
      routes: "{ match: { prefix: /acme.A/ }, route: { cluster: b } }",
      cluster: "type: STRICT_DNS\n" +
        MANY.slice(0, 6).map((one) => `      ${one}: 1\n`).join(""),
      clusters: "- { name: a }",
    },
    "it has no route for gRPC calls to a cluster; " +
    'it has no cluster "b"; it has 2 clusters named "a"; ' +
    MANY.slice(0, 6).map((one, index) =>
      `line ${24 + index}: static_resources.clusters[0].${one}: there is no ` +
      "such field"
    ).join("; "),
  ],
  [
    "more than anybody reads, with their number",
    {
      cluster: "type: STRICT_DNS\n" +
        MANY.map((one) => `      ${one}: 1\n`).join(""),
    },
    MANY.slice(0, 20).map((one, index) =>
      `line ${24 + index}: static_resources.clusters[0].${one}: there is no ` +
      "such field"
    ).join("; ") + "; and 3 more",
  ],
  [
    "names that are there twice",
    { clusters: "- { name: a }" },
    'it has 2 clusters named "a"',
  ],
];

for (const [what, parts, sentence] of MISSING) {
  Deno.test(`adapt() refuses, with one sentence: ${what}`, () => {
    assert.throws(() => adapted(parts), {
      name: "Failure",
      message: `Cannot run a stack with my.yaml: ${sentence}; name a file ` +
        "with all that a call needs",
    });
  });
}

Deno.test("adapt() never prints a name raw", () => {
  const { replaced } = adapted({
    host: 'domains: ["a\\e[31mb"]',
  });
  assert.ok(replaced.some((line) => line.includes("answers to every name")));
  // deno-lint-ignore no-control-regex
  assert.ok(replaced.every((line) => !/[\x00-\x1f]/.test(line)));
});
