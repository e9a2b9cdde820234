import assert from "node:assert/strict";
import type { Fields } from "../core/yaml.ts";
import { examined, found } from "./_examined.ts";
import { readConfiguration } from "./configuration.ts";
import { followCalls } from "./model.ts";

const TYPE = "type.googleapis.com/envoy.extensions";
const HTTP =
  `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`;

/** A route to a cluster, in whatever way it is matched. */
const to = (cluster: string, match: Fields): Fields => ({
  match,
  route: { cluster },
});

/** A listener whose virtual hosts have these routes. */
const listener = (
  name: string,
  hosts: readonly (readonly Fields[])[],
  http_filters: readonly Fields[] = [],
): Fields => ({
  name,
  filter_chains: [{
    filters: [{
      name: "http",
      typed_config: {
        "@type": HTTP,
        http_filters,
        route_config: {
          virtual_hosts: hosts.map((routes, index) => ({
            name: `host-${index}`,
            domains: [`host-${index}.example`],
            routes,
          })),
        },
      },
    }],
  }],
});

const HTTP2 = { http2_protocol_options: {} };
const MARKED = to("grpc", { prefix: "/shop.Quotes/" });

/** Clusters: one of gRPC, a bare one, and some of web pages. */
const CLUSTERS: readonly Fields[] = [
  { name: "grpc", ...HTTP2 },
  { name: "bare" },
  { name: "chosen", http_protocol_options: {} },
  {
    name: "explicit",
    typed_extension_protocol_options: {
      http: {
        "@type": `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http_protocol_options: {} },
      },
    },
  },
  {
    name: "checked",
    health_checks: [{ http_health_check: { path: "/ok" } }],
  },
];

const config = (
  listeners: readonly Fields[],
  clusters: readonly Fields[] = CLUSTERS,
): string => JSON.stringify({ static_resources: { listeners, clusters } });

/** The clusters that are called HTTP/1.1 ones that gRPC calls reach. */
function blamed(...args: Parameters<typeof config>): readonly string[] {
  return examined(config(...args)).diagnoses
    .filter(({ rule }) => rule.id === "upstream-http1")
    .flatMap(({ findings }) => findings.map(({ of }) => of));
}

const BARE = ['cluster "bare"'];

/** The routes of one or more listeners' hosts, and the clusters that they blame. */
const ROWS: readonly (readonly [
  string,
  readonly Fields[],
  readonly string[],
])[] = [
  ["the only route, of every path", [
    listener("a", [[to("bare", { prefix: "/" })]]),
  ], BARE],
  ["the only route, of every path, spelt otherwise", [
    listener("a", [[to("bare", { prefix: "" })]]),
  ], BARE],
  ["a second listener's only route", [
    listener("a", [[MARKED]]),
    listener("b", [[to("bare", { prefix: "/" })]]),
  ], BARE],
  ["a second listener's only route, by an expression", [
    listener("a", [[MARKED]]),
    listener("b", [[to("bare", { safe_regex: { regex: ".*" } })]]),
  ], BARE],
  ["another host's only route", [
    listener("a", [[MARKED], [to("bare", { prefix: "/" })]]),
  ], BARE],
  ["what is left of a host, after a marked route", [
    listener("a", [[MARKED, to("bare", { prefix: "/" })]]),
  ], BARE],
  ["a package", [
    listener("a", [[MARKED, to("bare", { prefix: "/shop." })]]),
  ], BARE],
  ["a page's path", [
    listener("a", [[MARKED, to("bare", { prefix: "/page" })]]),
  ], []],
  ["the start page only", [
    listener("a", [[MARKED, to("bare", { path: "/" })]]),
  ], []],
  ["files by their ending", [
    listener("a", [[
      MARKED,
      to("bare", { safe_regex: { regex: ".*\\.(png|js)$" } }),
    ]]),
  ], []],
  ["HTTP/1.1 that is chosen", [
    listener("a", [[MARKED, to("explicit", { prefix: "/" })]]),
    listener("b", [[to("chosen", { prefix: "/" })]]),
  ], []],
  ["servers that are checked by a page", [
    listener("a", [[MARKED]]),
    listener("b", [[to("checked", { prefix: "/" })]]),
  ], []],
  ["what is read with GET", [
    listener("a", [[
      MARKED,
      to("bare", {
        prefix: "/",
        headers: [{ name: ":method", string_match: { exact: "GET" } }],
      }),
    ]]),
  ], []],
  ["what is not read with GET", [
    listener("a", [[
      MARKED,
      to("bare", {
        prefix: "/",
        headers: [{
          name: ":method",
          string_match: { exact: "GET" },
          invert_match: true,
        }],
      }),
    ]]),
  ], BARE],
  ["CONNECT", [
    listener("a", [[MARKED, to("bare", { connect_matcher: {} })]]),
  ], []],
  ["what is left after all of gRPC", [
    listener("a", [[
      to("grpc", { prefix: "/", grpc: {} }),
      to("bare", { prefix: "/" }),
    ]]),
  ], []],
  ["what is left after some of gRPC", [
    listener("a", [[
      to("grpc", {
        prefix: "/",
        grpc: {},
        headers: [{ name: "x-version", present_match: true }],
      }),
      to("bare", { prefix: "/" }),
    ]]),
  ], BARE],
  ["HTTP/1.1 that is chosen, and nothing else", [
    listener("a", [[to("explicit", { prefix: "/" })]]),
  ], ['cluster "explicit"']],
  ["a page where the listener's filter is of gRPC", [
    listener("a", [[MARKED, to("checked", { prefix: "/" })]], [{
      name: "web",
      typed_config: { "@type": `${TYPE}.filters.http.grpc_web.v3.GrpcWeb` },
    }]),
  ], []],
];

for (const [what, listeners, expected] of ROWS) {
  Deno.test(`gRPC calls ${expected.length > 0 ? "take" : "do not take"}: ${what}`, () => {
    assert.deepEqual(blamed(listeners), expected);
  });
}

Deno.test("a good route silences no other, whatever the rule", () => {
  const bad = listener("b", [[to("bare", { prefix: "/" })]]);
  const alone = found(config([bad]));
  assert.ok(alone.includes("no-health-check"), alone.join(" "));
  const beside = examined(config([listener("a", [[MARKED]]), bad])).diagnoses
    .filter(({ findings }) =>
      findings.some(({ of }) => /"bare"|"b"|"\/"/.test(of))
    ).map(({ rule }) => rule.id);
  // Which listener is without a limit of connections is said once.
  assert.deepEqual(
    beside,
    alone.filter((id) => id !== "no-connection-limit"),
  );
});

Deno.test("routes that are surely of gRPC come first", () => {
  const text = config([
    listener("b", [[to("bare", { prefix: "/" })]]),
    listener("a", [[MARKED]]),
  ]);
  const { routes } = followCalls(
    readConfiguration(text, "a.json"),
    { services: [], concurrency: undefined, envoys: 1 },
    () => undefined,
  );
  assert.deepEqual(routes.map(({ name }) => name), ["/shop.Quotes/", "/"]);
});

const aggregate = (...clusters: readonly string[]): Fields => ({
  name: "all",
  cluster_type: {
    name: "envoy.clusters.aggregate",
    typed_config: {
      "@type": `${TYPE}.clusters.aggregate.v3.ClusterConfig`,
      clusters,
    },
  },
});

const ALL = listener("a", [
  [to("all", { prefix: "/shop.Quotes/" }), to("all", { prefix: "/shop.A/" })],
]);

Deno.test("a missing member of an aggregate is found, once", () => {
  const text = config([ALL], [aggregate("grpc", "gone"), ...CLUSTERS]);
  const [missing] = examined(text).diagnoses;
  assert.equal(missing?.rule.id, "missing-cluster");
  assert.deepEqual(
    missing.findings.map(({ of, now }) => [of, now]),
    [['cluster "all"', '"gone", which is no cluster here']],
  );
});

Deno.test("a member of an aggregate that comes from CDS is said not to be seen", () => {
  const text = JSON.stringify({
    static_resources: { listeners: [ALL], clusters: [aggregate("later")] },
    dynamic_resources: { cds_config: { ads: {} } },
  });
  const { unseen } = examined(text);
  assert.deepEqual(unseen.map(({ what }) => what), [
    'the cluster "later" comes from CDS',
  ]);
});

/** Clusters whose servers are found otherwise, and how that is called. */
const OTHERS: readonly (readonly [Fields, string])[] = [
  [{ type: "ORIGINAL_DST", lb_policy: "CLUSTER_PROVIDED" }, "ORIGINAL_DST"],
  [{
    lb_policy: "CLUSTER_PROVIDED",
    cluster_type: {
      name: "envoy.clusters.dynamic_forward_proxy",
      typed_config: {
        "@type": `${TYPE}.clusters.dynamic_forward_proxy.v3.ClusterConfig`,
        dns_cache_config: { name: "a" },
      },
    },
  }, "envoy.clusters.dynamic_forward_proxy"],
  [{
    cluster_type: {
      name: "my.own",
      typed_config: { "@type": "type.googleapis.com/my.own.Cluster" },
    },
  }, "my.own"],
];

for (const [fields, how] of OTHERS) {
  Deno.test(`servers that ${how} finds are said not to be seen`, () => {
    const other = { name: "other", ...HTTP2, ...fields };
    const of = (match: Fields) =>
      examined(config(
        [listener("a", [[MARKED, to("other", match)]])],
        [...CLUSTERS, other],
      )).unseen.map(({ what }) => what);
    assert.deepEqual(of({ prefix: "/shop.Orders/" }), [
      `the servers of "other", which ${how} finds`,
    ]);
  });
}

Deno.test("a database's cluster is not looked at, however it finds servers", () => {
  const text = JSON.stringify({
    static_resources: {
      listeners: [listener("a", [[MARKED]]), {
        name: "db",
        filter_chains: [{
          filters: [{
            name: "tcp",
            typed_config: {
              "@type": `${TYPE}.filters.network.tcp_proxy.v3.TcpProxy`,
              cluster: "db",
            },
          }],
        }],
      }],
      clusters: [...CLUSTERS, { name: "db", type: "ORIGINAL_DST" }],
    },
  });
  assert.deepEqual(examined(text).unseen, []);
});
