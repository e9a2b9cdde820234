import assert from "node:assert/strict";
import { type Fields, parseYaml, partAt, type Step } from "../core/yaml.ts";
import { examined } from "./_examined.ts";
import { DOCTOR_RULES } from "./examine.ts";
import type { Circumstances } from "./model.ts";

const BASE = Deno.readTextFileSync(
  new URL("./cases/base.yaml", import.meta.url),
);

const CLUSTER = ["static_resources", "clusters", "quotes"];
const CHECK = [...CLUSTER, "health_checks", 0];
const LISTENER = ["static_resources", "listeners", "front"];
const CHAIN = [...LISTENER, "filter_chains", 0];
const MANAGER = [...CHAIN, "filters", "hcm", "typed_config"];
const HOST = [...MANAGER, "route_config", "virtual_hosts", "all"];
const ROUTE = [...HOST, "routes", "quotes", "route"];
const POLICY = [...ROUTE, "retry_policy"];
const LIMITS = [...CLUSTER, "circuit_breakers", "thresholds", 0];
const OPTIONS = [
  ...CLUSTER,
  "typed_extension_protocol_options",
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
];
const HTTP2 = [...OPTIONS, "explicit_http_config", "http2_protocol_options"];

const typed = (type: string, fields: Fields = {}) => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...fields,
});
const dns = (fields: Fields) => ({
  name: "envoy.clusters.dns",
  typed_config: typed("clusters.dns.v3.DnsCluster", fields),
});
const tls = (common: Fields) => ({
  name: "envoy.transport_sockets.tls",
  typed_config: typed("transport_sockets.tls.v3.DownstreamTlsContext", {
    common_tls_context: common,
  }),
});
const upstreamTls = (common: Fields) => ({
  name: "envoy.transport_sockets.tls",
  typed_config: typed("transport_sockets.tls.v3.UpstreamTlsContext", {
    common_tls_context: common,
  }),
});
const quic = (common: Fields) => ({
  name: "quic",
  typed_config: typed("transport_sockets.quic.v3.QuicDownstreamTransport", {
    downstream_tls_context: { common_tls_context: common },
  }),
});
const bySds = (sds_config: Fields | undefined) => ({
  alpn_protocols: ["h2"],
  tls_certificate_sds_secret_configs: [
    { name: "a", ...(sds_config === undefined ? {} : { sds_config }) },
  ],
});
const SECRET_FILE = { path_config_source: { path: "/a.yaml" } };
const secretFile = (certificate_chain: Fields) =>
  JSON.stringify({
    resources: [{
      ...typed("transport_sockets.tls.v3.Secret"),
      name: "a",
      tls_certificate: { certificate_chain },
    }],
  });
const http = (fields: Fields) =>
  typed("upstreams.http.v3.HttpProtocolOptions", fields);
const runtime = (values: Fields) => ({
  layers: [{ name: "static", static_layer: values }],
});
const policies = (...settings: readonly Fields[]) => ({
  policies: settings.map((typed_config) => ({
    typed_extension_config: { name: "a", typed_config },
  })),
});
const balancer = (type: string, fields: Fields = {}) =>
  typed(`load_balancing_policies.${type}`, fields);
const RING = balancer("ring_hash.v3.RingHash");
const SLOW = {
  slow_start_config: {
    slow_start_window: "30s",
    min_weight_percent: { value: 1 },
  },
};
const certificates = {
  tls_certificates: [{
    certificate_chain: { filename: "a.pem" },
    private_key: { filename: "b.pem" },
  }],
};
const STATUS_FLAG =
  "envoy.reloadable_features.grpc_timeout_returns_deadline_exceeded";
const OGHTTP2_FLAG = "envoy.reloadable_features.http2_use_oghttp2";
const socket = (address: string, port: number) => ({
  socket_address: { address, port_value: port },
});
const endpoints = (...addresses: readonly Fields[]) => ({
  cluster_name: "quotes",
  endpoints: [{
    lb_endpoints: addresses.map((address) => ({ endpoint: { address } })),
  }],
});

/** A change of a small configuration that the doctor finds nothing in. */
interface Change {
  readonly what: string;
  /** Paths and the values there; undefined removes. */
  readonly set: readonly (readonly [readonly Step[], unknown])[];
  readonly said?: Partial<Circumstances>;
  /** Manifests beside it: then it is in a ConfigMap. */
  readonly beside?: readonly Fields[];
  /** Files that it may name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** For a rule: what has the pitfall, what has not, and what cannot be told. */
interface Table {
  readonly has: readonly Change[];
  readonly hasNot: readonly Change[];
  /**
   * Not found, and the examination says what it does not see; or why nothing of
   * the rule's can be unseen.
   */
  readonly unseen: readonly Change[] | string;
}

const one = (
  what: string,
  path: readonly Step[],
  value: unknown,
  said?: Partial<Circumstances>,
): Change => ({ what, set: [[path, value]], ...(said ? { said } : {}) });

const UNCHANGED: Change = { what: "nothing changed", set: [] };

const RDS: Change = {
  what: "routes come from RDS",
  set: [
    [[...MANAGER, "route_config"], undefined],
    [[...MANAGER, "rds"], {
      route_config_name: "r",
      config_source: { ads: {} },
    }],
  ],
};
const RUNTIME_FILES: Change = one(
  "the runtime is in files",
  ["layered_runtime"],
  { layers: [{ name: "files", disk_layer: { symlink_root: "/srv" } }] },
);
const RTDS: Change = one("the runtime comes from RTDS", ["layered_runtime"], {
  layers: [{ name: "a", rtds_layer: { name: "a", rtds_config: { ads: {} } } }],
});
const BY_HEADER: Change = {
  what: "a header decides the cluster",
  set: [[[...ROUTE, "cluster"], undefined], [
    [...ROUTE, "cluster_header"],
    "x-cluster",
  ]],
};
const HIDDEN_POLICY: Change = {
  what: "the retry policy is an extension",
  set: [[POLICY, undefined], [[...ROUTE, "retry_policy_typed_config"], {
    "@type": "type.googleapis.com/my.own.RetryPolicy",
  }]],
};

const GRPC_ROUTE = gateway("GRPCRoute", {
  name: "quotes",
  namespace: "shop",
  labels: { app: "a" },
}, { parentRefs: [{ name: "front" }] });

/** The clusters are elsewhere. */
const CDS: Change = {
  what: "clusters come from CDS",
  set: [[[...CLUSTER, "name"], "quoted"], [["dynamic_resources"], {
    cds_config: { ads: {} },
  }]],
};

/** The listeners are elsewhere. */
const LDS: Change = {
  what: "listeners come from LDS",
  set: [[["static_resources", "listeners"], undefined], [
    ["dynamic_resources"],
    { lds_config: { ads: {} } },
  ]],
};

/** A pitfall in what is then hidden. */
const hidden = (
  { what, set }: Change,
  from: Change | readonly [readonly Step[], unknown],
): Change =>
  "set" in from
    ? { ...from, what, set: [...from.set, ...set] }
    : { what, set: [from, ...set] };

const CHECKLESS = [[...CLUSTER, "health_checks"], undefined] as const;

const TABLES: Readonly<Record<string, Table>> = {
  refused: {
    has: [
      one("a field that is none", [...CLUSTER, "intervall"], "1s"),
      one("a name that is none", [...CLUSTER, "lb_policy"], "ROUND_ROBBIN"),
      one("a field of another type", [...CLUSTER, "connect_timeout"], 1),
      one("an unknown extension", [
        ...MANAGER,
        "http_filters",
        0,
        "typed_config",
      ], {
        "@type": "type.googleapis.com/a.B",
      }),
    ],
    hasNot: [UNCHANGED, one("a null", [...CLUSTER, "connect_timeout"], null)],
    unseen: "it is what Envoy says of the whole file",
  },
  "missing-cluster": {
    has: [
      one("another name", [...CLUSTER, "name"], "quoted"),
      {
        what: "one of two weighted clusters",
        set: [[[...ROUTE, "cluster"], undefined], [
          [...ROUTE, "weighted_clusters"],
          {
            clusters: [{ name: "quotes", weight: 1 }, {
              name: "no",
              weight: 1,
            }],
          },
        ]],
      },
    ],
    hasNot: [UNCHANGED],
    unseen: [CDS],
  },
  "upstream-http1": {
    has: [
      one(
        "no options",
        [...CLUSTER, "typed_extension_protocol_options"],
        undefined,
      ),
      one("HTTP/1.1 chosen", [...OPTIONS, "explicit_http_config"], {
        http_protocol_options: {},
      }),
      {
        what: "no options, by weighted clusters",
        set: [
          [[...CLUSTER, "typed_extension_protocol_options"], undefined],
          [[...ROUTE, "cluster"], undefined],
          [[...ROUTE, "weighted_clusters"], {
            clusters: [{ name: "quotes", weight: 1 }],
          }],
        ],
      },
      {
        what: "no options, and a route by an expression",
        set: [
          [[...CLUSTER, "typed_extension_protocol_options"], undefined],
          [CHECKLESS[0], undefined],
          [[...HOST, "routes", "quotes", "match"], {
            safe_regex: { regex: "/shop\\.Quotes/.*" },
          }],
          [[...HOST, "routes", 1], {
            match: { prefix: "/", grpc: {} },
            direct_response: { status: 404 },
          }],
        ],
      },
      {
        what: "no options, a check by TCP and a route for everything",
        set: [
          [[...CLUSTER, "typed_extension_protocol_options"], undefined],
          [[...CLUSTER, "health_checks"], undefined],
          [[...HOST, "routes", "quotes", "match"], { prefix: "/" }],
        ],
      },
    ],
    hasNot: [
      UNCHANGED,
      {
        what: "the older field",
        set: [
          [[...CLUSTER, "typed_extension_protocol_options"], undefined],
          [[...CLUSTER, "http2_protocol_options"], {
            connection_keepalive: { interval: "4s", timeout: "1s" },
          }],
        ],
      },
      one(
        "HTTP/2 by the caller's protocol",
        OPTIONS,
        http({
          use_downstream_protocol_config: { http2_protocol_options: {} },
        }),
      ),
      one("HTTP/2 by ALPN", OPTIONS, http({ auto_config: {} })),
      {
        what: "a web page",
        set: [[[...HOST, "routes", 1], {
          match: { prefix: "/page" },
          route: { cluster: "page" },
        }], [["static_resources", "clusters", 1], { name: "page" }]],
      },
    ],
    unseen: [BY_HEADER],
  },
  "tcp-proxy": {
    has: [
      one("the only way", [...CHAIN, "filters"], [{
        name: "tcp",
        typed_config: typed("filters.network.tcp_proxy.v3.TcpProxy", {
          stat_prefix: "a",
          cluster: "quotes",
        }),
      }]),
      one("the only way, weighted", [...CHAIN, "filters"], [{
        name: "tcp",
        typed_config: typed("filters.network.tcp_proxy.v3.TcpProxy", {
          stat_prefix: "a",
          weighted_clusters: { clusters: [{ name: "quotes", weight: 1 }] },
        }),
      }]),
    ],
    hasNot: [UNCHANGED],
    unseen: [
      LDS,
      one("a filter that comes from discovery", [...CHAIN, "filters"], [{
        name: "other",
        config_discovery: { config_source: { ads: {} } },
      }]),
    ],
  },
  "logical-dns": {
    has: [
      one("the type", [...CLUSTER, "type"], "logical_dns"),
      {
        what: "the extension",
        set: [[[...CLUSTER, "type"], undefined], [
          [...CLUSTER, "cluster_type"],
          dns({
            dns_refresh_rate: "1s",
            all_addresses_in_single_endpoint: true,
          }),
        ]],
      },
    ],
    hasNot: [UNCHANGED, {
      what: "the extension, for each address",
      set: [[[...CLUSTER, "type"], undefined], [
        [...CLUSTER, "cluster_type"],
        dns({ dns_refresh_rate: "1s" }),
      ]],
    }],
    unseen: [BY_HEADER],
  },
  "one-address": {
    has: [
      besideServices("a Service", [service("quotes", {})]),
      besideServices("a Service of the namespace that the name has", [
        service("quotes", {}, "shop"),
      ], "quotes.shop"),
      besideServices("a Service, by its whole name", [
        service("quotes", {}, "shop"),
      ], "quotes.shop.svc.cluster.local"),
      besideServices("a Service of Envoy's own namespace", [
        service("quotes", {}, "front"),
      ], "quotes"),
      besideServices("a Service whose namespace is not said", [
        service("quotes", {}),
      ], "quotes.shop.svc"),
    ],
    hasNot: [
      UNCHANGED,
      besideServices("a headless Service", [
        service("quotes", { clusterIP: "None" }),
      ]),
      besideServices("another Service", [service("orders", {})]),
      besideServices("the Service of another namespace", [
        service("quotes", {}, "test"),
        service("quotes", { clusterIP: "None" }, "shop"),
      ], "quotes.shop.svc.cluster.local"),
      besideServices("a Service that is not in Envoy's namespace", [
        service("quotes", {}, "test"),
      ], "quotes"),
      besideServices("a name elsewhere that begins like it", [
        service("quotes", {}, "example"),
      ], "quotes.example.com"),
    ],
    unseen: [hidden(CDS, besideServices("", [service("quotes", {})]))],
  },
  "no-health-check": {
    has: [one("none", ...CHECKLESS), one("an empty list", CHECKLESS[0], [])],
    hasNot: [UNCHANGED],
    unseen: [RDS],
  },
  "tcp-health-check": {
    has: [{
      what: "the only one",
      set: [[[...CHECK, "grpc_health_check"], undefined], [
        [...CHECK, "tcp_health_check"],
        {},
      ]],
    }],
    hasNot: [UNCHANGED],
    unseen: [hidden(CDS, [CHECK, { tcp_health_check: {} }])],
  },
  "health-answered-by-envoy": {
    has: [healthFilter({ pass_through_mode: false })],
    hasNot: [
      UNCHANGED,
      healthFilter({ pass_through_mode: true }),
      healthFilter({ pass_through_mode: false }, { disabled: true }),
      healthFilter({
        pass_through_mode: false,
        cluster_min_healthy_percentages: { quotes: { value: 50 } },
      }),
    ],
    unseen: [
      hidden(LDS, healthFilter({ pass_through_mode: false })),
      {
        what: "the filter comes from discovery",
        set: [[[...MANAGER, "http_filters", 0], {
          name: "health",
          config_discovery: { config_source: { ads: {} } },
        }]],
      },
      one("the filter is not Envoy's own", [
        ...MANAGER,
        "http_filters",
        0,
        "typed_config",
      ], { "@type": "type.googleapis.com/my.own.Health" }),
    ],
  },
  "unknown-service": {
    has: [
      one(
        "another service",
        [...CHECK, "grpc_health_check", "service_name"],
        "a.B",
      ),
      one("not one that was said", [], undefined, { services: ["a.B"] }),
      one(
        "the service of health checks",
        [...CHECK, "grpc_health_check", "service_name"],
        "grpc.health.v1.Health",
      ),
    ],
    hasNot: [
      UNCHANGED,
      one("the whole server", [...CHECK, "grpc_health_check"], {}),
      one(
        "a service that was said",
        [...CHECK, "grpc_health_check", "service_name"],
        "a.B",
        {
          services: ["a.B"],
        },
      ),
      {
        what: "any service, by a route for all",
        set: [
          [[...HOST, "routes", "quotes", "match"], { prefix: "/" }],
          [[...CHECK, "grpc_health_check", "service_name"], "a.B"],
        ],
      },
    ],
    unseen: [
      hidden(RDS, [[...CHECK, "grpc_health_check", "service_name"], "a.B"]),
    ],
  },
  "no-traffic-interval": {
    has: [
      one("none", [...CHECK, "no_traffic_interval"], undefined),
      one("a long one", [...CHECK, "no_traffic_interval"], "30s"),
    ],
    hasNot: [UNCHANGED, one("4 s", [...CHECK, "no_traffic_interval"], "4s"), {
      what: "that of busy clusters",
      set: [[[...CHECK, "interval"], "10s"], [
        [...CHECK, "no_traffic_interval"],
        "10s",
      ]],
    }],
    unseen: [hidden(CDS, [[...CHECK, "no_traffic_interval"], "30s"])],
  },
  "panic-threshold": {
    has: [
      one(
        "none",
        [...CLUSTER, "common_lb_config", "healthy_panic_threshold"],
        undefined,
      ),
      one("10 %", [...CLUSTER, "common_lb_config", "healthy_panic_threshold"], {
        value: 10,
      }),
      {
        what: "none, with outlier detection only",
        set: [CHECKLESS, [
          [...CLUSTER, "outlier_detection"],
          { max_ejection_percent: 50 },
        ], [
          [...CLUSTER, "common_lb_config", "healthy_panic_threshold"],
          undefined,
        ]],
      },
    ],
    hasNot: [
      UNCHANGED,
      one("calls are refused then", [...CLUSTER, "common_lb_config"], {
        ignore_new_hosts_until_first_hc: true,
        zone_aware_lb_config: { fail_traffic_on_panic: true },
      }),
      {
        what: "calls are refused then, by a policy's own setting",
        set: [
          [[...CLUSTER, "common_lb_config", "healthy_panic_threshold"], {
            value: 50,
          }],
          [
            [...CLUSTER, "load_balancing_policy"],
            policies(balancer("round_robin.v3.RoundRobin", {
              locality_lb_config: {
                zone_aware_lb_config: { fail_traffic_on_panic: true },
              },
            })),
          ],
        ],
      },
      one("0 as a text", [
        ...CLUSTER,
        "common_lb_config",
        "healthy_panic_threshold",
      ], {
        value: "0",
      }),
      one("an empty message", [
        ...CLUSTER,
        "common_lb_config",
        "healthy_panic_threshold",
      ], {}),
      {
        what: "0 by the runtime",
        set: [
          [
            [...CLUSTER, "common_lb_config", "healthy_panic_threshold"],
            undefined,
          ],
          [
            ["layered_runtime"],
            runtime({ "upstream.healthy_panic_threshold": 0 }),
          ],
        ],
      },
      {
        what: "nothing that knows health",
        set: [CHECKLESS, [[...CLUSTER, "common_lb_config"], undefined]],
      },
    ],
    unseen: [hidden(CDS, [[...CLUSTER, "common_lb_config"], undefined])],
  },
  "new-hosts-before-check": {
    has: [
      one("none", [
        ...CLUSTER,
        "common_lb_config",
        "ignore_new_hosts_until_first_hc",
      ], undefined),
    ],
    hasNot: [UNCHANGED, {
      what: "a static cluster",
      set: [
        [
          [...CLUSTER, "common_lb_config", "ignore_new_hosts_until_first_hc"],
          undefined,
        ],
        [[...CLUSTER, "type"], "STATIC"],
      ],
    }],
    unseen: [hidden(CDS, [[...CLUSTER, "common_lb_config"], undefined])],
  },
  "removed-hosts-stay": {
    has: [
      one("none", [...CLUSTER, "ignore_health_on_host_removal"], undefined),
    ],
    hasNot: [
      UNCHANGED,
      one("a choice", [...CLUSTER, "ignore_health_on_host_removal"], "false"),
      {
        what: "without checks",
        set: [CHECKLESS, [
          [...CLUSTER, "ignore_health_on_host_removal"],
          undefined,
        ]],
      },
      {
        what: "a static cluster",
        set: [
          [[...CLUSTER, "ignore_health_on_host_removal"], undefined],
          [[...CLUSTER, "type"], "STATIC"],
        ],
      },
    ],
    unseen: [
      hidden(CDS, [[...CLUSTER, "ignore_health_on_host_removal"], undefined]),
    ],
  },
  "dns-empties-cluster": {
    has: [one("asked every 30 s", [...CLUSTER, "dns_refresh_rate"], "30s")],
    hasNot: [UNCHANGED, {
      what: "what passes its checks stays",
      set: [[[...CLUSTER, "dns_refresh_rate"], "30s"], [
        [...CLUSTER, "ignore_health_on_host_removal"],
        false,
      ]],
    }],
    unseen: [hidden(CDS, [[...CLUSTER, "dns_refresh_rate"], "30s"])],
  },
  "slow-discovery": {
    has: [
      one("none", [...CLUSTER, "dns_refresh_rate"], undefined),
      one("10 s", [...CLUSTER, "dns_refresh_rate"], "10s"),
      {
        what: "none in the extension",
        set: [[[...CLUSTER, "type"], undefined], [
          [...CLUSTER, "cluster_type"],
          dns({}),
        ]],
      },
      one("10 s as seconds", [...CLUSTER, "dns_refresh_rate"], { seconds: 10 }),
      {
        what: "10 s, and the type by its other name",
        set: [
          [[...CLUSTER, "dns_refresh_rate"], "10s"],
          [[...CLUSTER, "type"], undefined],
          [[...CLUSTER, "cluster_type"], { name: "envoy.cluster.strict_dns" }],
        ],
      },
    ],
    hasNot: [
      UNCHANGED,
      {
        what: "the extension",
        set: [[[...CLUSTER, "type"], undefined], [
          [...CLUSTER, "cluster_type"],
          dns({ dnsRefreshRate: "1.5s" }),
        ]],
      },
      {
        what: "a static cluster",
        set: [[[...CLUSTER, "type"], 0], [
          [...CLUSTER, "dns_refresh_rate"],
          undefined,
        ]],
      },
    ],
    unseen: [
      hidden(BY_HEADER, [[...CLUSTER, "dns_refresh_rate"], "30s"]),
      {
        what: "an extension finds the servers",
        set: [[[...CLUSTER, "type"], undefined], [
          [...CLUSTER, "cluster_type"],
          {
            name: "mine",
            typed_config: { "@type": "type.googleapis.com/my.own.Cluster" },
          },
        ]],
      },
    ],
  },
  "dns-ttl": {
    has: [one("true", [...CLUSTER, "respect_dns_ttl"], true)],
    hasNot: [UNCHANGED, one("false", [...CLUSTER, "respect_dns_ttl"], false)],
    unseen: [hidden(CDS, [[...CLUSTER, "respect_dns_ttl"], true])],
  },
  "ring-without-hash": {
    has: [
      one("a ring", [...CLUSTER, "lb_policy"], "RING_HASH"),
      one("Maglev", [...CLUSTER, "lb_policy"], "maglev"),
      one(
        "a ring by extension",
        [...CLUSTER, "load_balancing_policy"],
        policies(RING),
      ),
      one(
        "a ring in each subset",
        [...CLUSTER, "load_balancing_policy"],
        policies(balancer("subset.v3.Subset", {
          subset_lb_policy: policies(balancer("maglev.v3.Maglev")),
        })),
      ),
    ],
    hasNot: [UNCHANGED, {
      what: "a ring that a policy overrides",
      set: [[[...CLUSTER, "lb_policy"], "RING_HASH"], [
        [...CLUSTER, "load_balancing_policy"],
        policies(balancer("round_robin.v3.RoundRobin"), RING),
      ]],
    }, {
      what: "a ring with a hash policy of its own",
      set: [[
        [...CLUSTER, "load_balancing_policy"],
        policies(balancer("ring_hash.v3.RingHash", {
          consistent_hashing_lb_config: {
            hash_policy: [{ header: { header_name: "a" } }],
          },
        })),
      ]],
    }, {
      what: "a ring with a policy",
      set: [[[...CLUSTER, "lb_policy"], "RING_HASH"], [
        [...ROUTE, "hash_policy"],
        [{ header: { header_name: "a" } }],
      ]],
    }],
    unseen: [hidden(RDS, [[...CLUSTER, "lb_policy"], "RING_HASH"])],
  },
  "slow-start-starves": {
    has: [
      one("1 %", [...CLUSTER, "round_robin_lb_config"], SLOW),
      one(
        "1 % in each locality",
        [...CLUSTER, "load_balancing_policy"],
        policies(balancer("wrr_locality.v3.WrrLocality", {
          endpoint_picking_policy: policies(
            balancer(
              "client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin",
              SLOW,
            ),
          ),
        })),
      ),
    ],
    hasNot: [
      UNCHANGED,
      {
        what: "1 % for another policy",
        set: [[[...CLUSTER, "lb_policy"], "LEAST_REQUEST"], [
          [...CLUSTER, "round_robin_lb_config"],
          SLOW,
        ]],
      },
      one("20 %", [...CLUSTER, "round_robin_lb_config"], {
        slow_start_config: {
          slow_start_window: "30s",
          min_weight_percent: { value: 20 },
        },
      }),
      one("the default", [...CLUSTER, "round_robin_lb_config"], {
        slow_start_config: { slow_start_window: "30s" },
      }),
    ],
    unseen: [hidden(CDS, [[...CLUSTER, "round_robin_lb_config"], SLOW])],
  },
  "streams-cut": {
    has: [
      one("the default", [...ROUTE, "timeout"], undefined),
      one("30 s", [...ROUTE, "timeout"], "30s"),
      {
        what: "the longest stream",
        set: [[[...ROUTE, "timeout"], undefined], [
          [...ROUTE, "max_stream_duration"],
          { max_stream_duration: "5s" },
        ]],
      },
      one("the listener's", [...MANAGER, "common_http_protocol_options"], {
        max_stream_duration: "60s",
      }),
    ],
    hasNot: [
      UNCHANGED,
      one("a week", [...ROUTE, "timeout"], "604800s"),
      {
        what: "a deadline of the caller's only",
        set: [[[...ROUTE, "timeout"], undefined], [
          [...ROUTE, "max_stream_duration"],
          { grpc_timeout_header_max: "0s" },
        ]],
      },
    ],
    unseen: [RDS],
  },
  "no-retries": {
    has: [
      one("no policy", POLICY, undefined),
      one("an empty policy", POLICY, {}),
      one("no condition", [...POLICY, "retry_on"], ""),
      one("a word that is none", [...POLICY, "retry_on"], "conect-failure"),
    ],
    hasNot: [UNCHANGED, {
      what: "the virtual host's",
      set: [[POLICY, undefined], [[...HOST, "retry_policy"], {
        retry_on: "connect-failure",
        retry_host_predicate: [{
          name: "envoy.retry_host_predicates.previous_hosts",
        }],
      }]],
    }],
    unseen: [RDS, HIDDEN_POLICY],
  },
  "retry-on-statuses": {
    has: [one("statuses", [...POLICY, "retry_on"], "cancelled, unavailable")],
    hasNot: [
      UNCHANGED,
      one("5xx", [...POLICY, "retry_on"], "5xx"),
      one("nothing", [...POLICY, "retry_on"], ""),
    ],
    unseen: [HIDDEN_POLICY],
  },
  "retry-never": {
    has: [
      one("no retry", [...POLICY, "num_retries"], 0),
      {
        what: "no time for a retry",
        set: [[[...ROUTE, "timeout"], "2s"], [
          [...POLICY, "per_try_timeout"],
          "2s",
        ]],
      },
      one("no retry at once", LIMITS, { max_requests: 90, max_retries: 0 }),
      one("no codes", [...POLICY, "retry_on"], "retriable-status-codes"),
      one("no headers", [...POLICY, "retry_on"], "retriable-headers"),
      one(
        "neither",
        [...POLICY, "retry_on"],
        "retriable-headers,retriable-status-codes",
      ),
      one("a budget of nothing", [...LIMITS, "retry_budget"], {
        budget_percent: {},
        min_retry_concurrency: 0,
      }),
    ],
    hasNot: [
      UNCHANGED,
      one("a budget instead", [...LIMITS, "max_retries"], 0),
      one("a budget for the first ones", [...LIMITS, "retry_budget"], {
        budget_percent: { value: 0 },
      }),
      one("a budget of a share", [...LIMITS, "retry_budget"], {
        min_retry_concurrency: 0,
      }),
      one(
        "a condition beside one without its list",
        [...POLICY, "retry_on"],
        "retriable-headers,reset",
      ),
      one("without a limit", [...POLICY, "per_try_timeout"], "20s"),
    ],
    unseen: [HIDDEN_POLICY, hidden(RDS, [[...POLICY, "num_retries"], 0])],
  },
  "retry-same-host": {
    has: [
      one("none", [...POLICY, "retry_host_predicate"], undefined),
      one("another predicate", [...POLICY, "retry_host_predicate"], [{
        name: "envoy.retry_host_predicates.previous_hosts",
        typed_config: typed(
          "retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate",
        ),
      }]),
    ],
    hasNot: [
      UNCHANGED,
      one("another name", [...POLICY, "retry_host_predicate", 0, "name"], "x"),
    ],
    unseen: [HIDDEN_POLICY],
  },
  "no-retry-budget": {
    has: [
      one("none", [...LIMITS, "retry_budget"], undefined),
      one("another priority's", [...ROUTE, "priority"], "high"),
    ],
    hasNot: [UNCHANGED, {
      what: "nothing is retried",
      set: [[POLICY, undefined], [[...LIMITS, "retry_budget"], undefined]],
    }],
    unseen: [
      hidden(BY_HEADER, [[...LIMITS, "retry_budget"], undefined]),
    ],
  },
  "no-circuit-breaker": {
    has: [
      one("none", [...LIMITS, "max_requests"], undefined),
      one("another priority's", [...LIMITS, "priority"], "HIGH"),
    ],
    hasNot: [
      UNCHANGED,
      one("a mapping for the list", [...CLUSTER, "circuit_breakers"], {
        thresholds: { max_requests: "90", retry_budget: {} },
      }),
    ],
    unseen: [
      hidden(CDS, [[...LIMITS, "max_requests"], undefined]),
    ],
  },
  "silent-server": {
    has: [
      one("none", [...HTTP2, "connection_keepalive"], undefined),
      one("without an interval", [...HTTP2, "connection_keepalive"], {
        timeout: "1s",
      }),
      one("none in auto_config", OPTIONS, http({ auto_config: {} })),
    ],
    hasNot: [
      UNCHANGED,
      one(
        "in auto_config",
        OPTIONS,
        http({
          auto_config: {
            http2_protocol_options: {
              connection_keepalive: { interval: "4s", timeout: "1s" },
            },
          },
        }),
      ),
      {
        what: "a time for each try",
        set: [[[...HTTP2, "connection_keepalive"], undefined], [
          [...POLICY, "per_try_timeout"],
          "2s",
        ]],
      },
    ],
    unseen: [BY_HEADER],
  },
  "timeout-unavailable": {
    has: [
      one("the default", [...ROUTE, "timeout"], undefined),
      one("for each try", [...POLICY, "per_try_timeout"], "2s"),
      {
        what: "a flag that is off",
        set: [[[...ROUTE, "timeout"], "5s"], [
          ["layered_runtime"],
          runtime({ [STATUS_FLAG]: false }),
        ]],
      },
    ],
    hasNot: [UNCHANGED, {
      what: "the flag",
      set: [[[...ROUTE, "timeout"], "5s"], [
        ["layered_runtime"],
        runtime({ [STATUS_FLAG]: true }),
      ]],
    }, {
      what: "the flag, nested",
      set: [[[...ROUTE, "timeout"], "5s"], [
        ["layered_runtime"],
        runtime({
          envoy: {
            reloadable_features: {
              grpc_timeout_returns_deadline_exceeded: "true",
            },
          },
        }),
      ]],
    }],
    unseen: [RUNTIME_FILES, RTDS],
  },
  "per-try-runs-twice": {
    has: [one("2 s", [...POLICY, "per_try_timeout"], "2s")],
    hasNot: [UNCHANGED, {
      what: "only calls that no server has",
      set: [[[...POLICY, "per_try_timeout"], "2s"], [
        [...POLICY, "retry_on"],
        "connect-failure,refused-stream",
      ]],
    }],
    unseen: [
      HIDDEN_POLICY,
      hidden(RDS, [[...POLICY, "per_try_timeout"], "2s"]),
    ],
  },
  "ejects-nobody": {
    has: [
      one("the default", [...CLUSTER, "outlier_detection"], {
        successful_active_health_check_uneject_host: false,
      }),
      {
        what: "49 % of two",
        set: [
          [[...CLUSTER, "type"], "STATIC"],
          [
            [...CLUSTER, "load_assignment"],
            endpoints(
              socket("127.0.0.1", 1),
              socket("127.0.0.1", 2),
            ),
          ],
          [[...CLUSTER, "outlier_detection"], { max_ejection_percent: 49 }],
        ],
      },
    ],
    hasNot: [
      UNCHANGED,
      {
        what: "50 % by the runtime",
        set: [[[...CLUSTER, "outlier_detection"], {}], [
          ["layered_runtime"],
          runtime({ "outlier_detection.max_ejection_percent": 50 }),
        ]],
      },
      one("34 %", [...CLUSTER, "outlier_detection"], {
        max_ejection_percent: 34,
      }),
      one("one always", [...CLUSTER, "outlier_detection"], {
        always_eject_one_host: true,
      }),
    ],
    unseen: [hidden(CDS, [[...CLUSTER, "outlier_detection"], {}])],
  },
  "no-enforcing": {
    has: [one("both off", [...CLUSTER, "outlier_detection"], {
      enforcing_consecutive_5xx: 0,
    })],
    hasNot: [
      UNCHANGED,
      one("the default", [...CLUSTER, "outlier_detection"], {}),
      one("the other", [...CLUSTER, "outlier_detection"], {
        enforcing_consecutive_5xx: 0,
        enforcing_consecutive_gateway_failure: 100,
      }),
    ],
    unseen: [
      hidden(CDS, [[...CLUSTER, "outlier_detection"], {
        enforcing_consecutive_5xx: 0,
      }]),
    ],
  },
  "check-unejects": {
    has: [one("the default", [...CLUSTER, "outlier_detection"], {})],
    hasNot: [
      UNCHANGED,
      one("false", [...CLUSTER, "outlier_detection"], {
        successful_active_health_check_uneject_host: false,
      }),
      {
        what: "without checks",
        set: [CHECKLESS, [[...CLUSTER, "outlier_detection"], {}]],
      },
    ],
    unseen: [hidden(CDS, [[...CLUSTER, "outlier_detection"], {}])],
  },
  "slow-headers": {
    has: [
      one("none", [...MANAGER, "request_headers_timeout"], undefined),
      one("0", [...MANAGER, "request_headers_timeout"], "0s"),
    ],
    hasNot: [UNCHANGED],
    unseen: [
      hidden(LDS, [[...MANAGER, "request_headers_timeout"], undefined]),
    ],
  },
  "no-connection-limit": {
    has: [
      one("none", ["overload_manager"], undefined),
      {
        what: "another listener's own",
        set: [[["overload_manager"], undefined], [
          ["layered_runtime"],
          runtime({
            "envoy.resource_limits.listener.back.connection_limit": 7,
          }),
        ]],
      },
    ],
    hasNot: [
      UNCHANGED,
      {
        what: "the older key",
        set: [[["overload_manager"], undefined], [
          ["layered_runtime"],
          runtime({ "overload.global_downstream_max_connections": 7 }),
        ]],
      },
      {
        what: "the listener's own",
        set: [[["overload_manager"], undefined], [
          ["layered_runtime"],
          runtime({
            "envoy.resource_limits.listener.front.connection_limit": 7,
          }),
        ]],
      },
    ],
    unseen: [hidden(LDS, [["overload_manager"], undefined])],
  },
  "admin-open": {
    has: [
      one("everywhere", ["admin"], { address: socket("0.0.0.0", 9901) }),
      one("everywhere, IPv6", ["admin"], { address: socket("::", 9901) }),
      one("elsewhere, IPv4 in IPv6", ["admin"], {
        address: socket("::ffff:10.0.0.1", 9901),
      }),
    ],
    hasNot: [
      UNCHANGED,
      one("here", ["admin"], { address: socket("127.0.0.1", 9901) }),
      one("here, IPv6 at length", ["admin"], {
        address: socket("0:0:0:0:0:0:0:1", 9901),
      }),
      one("here, IPv4 in IPv6", ["admin"], {
        address: socket("::ffff:127.0.0.1", 9901),
      }),
      one("a pipe", ["admin"], { address: { pipe: { path: "@a" } } }),
    ],
    unseen: "Envoy has no admin interface but that of its bootstrap",
  },
  "no-alpn": {
    has: [
      one("none", [...CHAIN, "transport_socket"], tls({})),
      one(
        "HTTP/1.1",
        [...CHAIN, "transport_socket"],
        tls({
          alpn_protocols: ["http/1.1"],
        }),
      ),
    ],
    hasNot: [
      UNCHANGED,
      one(
        "h2 in one text with others",
        [...CHAIN, "transport_socket"],
        tls({ alpn_protocols: ["h2,http/1.1"] }),
      ),
      one("HTTP/3", [...CHAIN, "transport_socket"], quic(certificates)),
      one(
        "h2",
        [...CHAIN, "transport_socket"],
        tls({
          alpn_protocols: ["h2", "http/1.1"],
        }),
      ),
    ],
    unseen: [hidden(LDS, [[...CHAIN, "transport_socket"], tls({})])],
  },
  "fixed-certificates": {
    has: [
      one("HTTP/3", [...CHAIN, "transport_socket"], quic(certificates)),
      one(
        "files of a cluster, inside of another socket",
        [...CLUSTER, "transport_socket"],
        {
          name: "proxy",
          typed_config: typed(
            "transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
            { transport_socket: upstreamTls(certificates) },
          ),
        },
      ),
      one(
        "files of some servers",
        [...CLUSTER, "transport_socket_matches"],
        [{
          name: "some",
          match: {},
          transport_socket: upstreamTls(certificates),
        }],
      ),
      one(
        "a static secret",
        [...CHAIN, "transport_socket"],
        tls(bySds(undefined)),
      ),
      one(
        "files",
        [...CHAIN, "transport_socket"],
        tls({
          alpn_protocols: ["h2"],
          tls_certificates: [{
            certificate_chain: { filename: "a.pem" },
            private_key: { filename: "b.pem" },
          }],
        }),
      ),
    ],
    hasNot: [
      UNCHANGED,
      one(
        "SDS",
        [...CHAIN, "transport_socket"],
        tls(bySds(SECRET_FILE)),
      ),
    ],
    unseen: [
      hidden(LDS, [[...CHAIN, "transport_socket"], tls(certificates)]),
    ],
  },
  "unwatched-secrets": {
    has: [
      one("a file", [...CHAIN, "transport_socket"], tls(bySds(SECRET_FILE))),
      {
        what: "a file with the certificate in it",
        set: [[[...CHAIN, "transport_socket"], tls(bySds(SECRET_FILE))]],
        files: { "/a.yaml": secretFile({ inline_string: "a" }) },
      },
      one(
        "the older field",
        [...CHAIN, "transport_socket"],
        tls(bySds({ path: "/a.yaml" })),
      ),
      one(
        "the file of an authority",
        [...CLUSTER, "transport_socket"],
        upstreamTls({
          validation_context_sds_secret_config: {
            name: "a",
            sds_config: SECRET_FILE,
          },
        }),
      ),
      one(
        "the file of an authority, combined",
        [...CLUSTER, "transport_socket"],
        upstreamTls({
          combined_validation_context: {
            default_validation_context: {},
            validation_context_sds_secret_config: {
              name: "a",
              sds_config: SECRET_FILE,
            },
          },
        }),
      ),
    ],
    hasNot: [
      UNCHANGED,
      one(
        "a folder is watched",
        [...CHAIN, "transport_socket"],
        tls(bySds({
          path_config_source: {
            path: "/certs/a.yaml",
            watched_directory: { path: "/certs" },
          },
        })),
      ),
      one(
        "a control plane",
        [...CHAIN, "transport_socket"],
        tls(bySds({ ads: {} })),
      ),
      {
        what: "a file that names files",
        set: [[[...CHAIN, "transport_socket"], tls(bySds(SECRET_FILE))]],
        files: { "/a.yaml": secretFile({ filename: "/certs/tls.crt" }) },
      },
    ],
    unseen: [
      hidden(LDS, [[...CHAIN, "transport_socket"], tls(bySds(SECRET_FILE))]),
    ],
  },
  "small-headers": {
    has: [
      one("4 KiB of a call", [...MANAGER, "max_request_headers_kb"], 4),
      one("4 KiB of a reply", [...OPTIONS, "common_http_protocol_options"], {
        max_response_headers_kb: 4,
      }),
      one("99 headers of a call", [
        ...MANAGER,
        "common_http_protocol_options",
      ], { max_headers_count: 99 }),
      one("50 headers of a reply", [
        ...OPTIONS,
        "common_http_protocol_options",
      ], { max_headers_count: "50" }),
      {
        what: "50 headers of a reply, by the older fields",
        set: [
          [[...CLUSTER, "typed_extension_protocol_options"], undefined],
          [[...CLUSTER, "http2_protocol_options"], {}],
          [[...CLUSTER, "common_http_protocol_options"], {
            max_headers_count: 50,
          }],
        ],
      },
    ],
    hasNot: [
      UNCHANGED,
      one("16", [...MANAGER, "max_request_headers_kb"], 16),
      one("100 headers", [...MANAGER, "common_http_protocol_options"], {
        max_headers_count: 100,
      }),
    ],
    unseen: [
      hidden(LDS, [[...MANAGER, "max_request_headers_kb"], 4]),
      hidden(CDS, [[...OPTIONS, "common_http_protocol_options"], {
        max_response_headers_kb: 4,
      }]),
    ],
  },
  "connections-stay": {
    has: [one("two Envoys", [], undefined, { envoys: 2 })],
    hasNot: [
      UNCHANGED,
      one(
        "two Envoys and a limit",
        [...MANAGER, "common_http_protocol_options"],
        { max_connection_duration: "300s" },
        { envoys: 2 },
      ),
    ],
    unseen: [{ ...LDS, said: { envoys: 2 } }],
  },
  "limits-of-workers": {
    has: [one("1 of 4", [...LIMITS, "max_connections"], 1, { concurrency: 4 })],
    hasNot: [
      one("one worker", [...LIMITS, "max_connections"], 1, { concurrency: 1 }),
      one("not said", [...LIMITS, "max_connections"], 1),
      one("enough", [...LIMITS, "max_connections"], 4, { concurrency: 4 }),
    ],
    unseen: [
      hidden(
        CDS,
        one("", [...LIMITS, "max_connections"], 1, { concurrency: 4 }),
      ),
    ],
  },
  "shares-of-workers": {
    has: [
      one("four", [], undefined, { concurrency: 4 }),
      one(
        "four, by extension",
        [...CLUSTER, "load_balancing_policy"],
        policies(balancer("round_robin.v3.RoundRobin")),
        { concurrency: 4 },
      ),
    ],
    hasNot: [
      UNCHANGED,
      one("one", [], undefined, { concurrency: 1 }),
      one("random", [...CLUSTER, "lb_policy"], "RANDOM", { concurrency: 4 }),
      one(
        "random, by extension",
        [...CLUSTER, "load_balancing_policy"],
        policies(balancer("random.v3.Random")),
        { concurrency: 4 },
      ),
    ],
    unseen: [{ ...CDS, said: { concurrency: 4 } }],
  },
  "route-without-policy": {
    has: [
      besideGateway("no policy", GRPC_ROUTE),
      besideGateway(
        "a policy for another route",
        GRPC_ROUTE,
        policyFor({ targetRefs: [{ kind: "GRPCRoute", name: "orders" }] }),
      ),
      besideGateway(
        "a policy for another kind of route",
        GRPC_ROUTE,
        policyFor({ targetRefs: [{ kind: "HTTPRoute", name: "quotes" }] }),
      ),
      besideGateway(
        "a policy of another namespace",
        GRPC_ROUTE,
        policyFor({ targetRefs: [{ kind: "GRPCRoute", name: "quotes" }] }, {
          namespace: "test",
        }),
      ),
      besideGateway(
        "a policy for other labels",
        GRPC_ROUTE,
        policyFor({
          targetSelectors: [{ kind: "GRPCRoute", matchLabels: { app: "b" } }],
        }),
      ),
      besideGateway(
        "a policy of another namespace, by labels",
        GRPC_ROUTE,
        policyFor({
          targetSelectors: [{ kind: "GRPCRoute", matchLabels: { app: "a" } }],
        }, { namespace: "test" }),
      ),
      besideGateway("a policy of callers", GRPC_ROUTE, {
        ...policyFor({ targetRefs: [{ kind: "GRPCRoute", name: "quotes" }] }),
        kind: "ClientTrafficPolicy",
      }),
      besideGateway(
        "one of two routes",
        GRPC_ROUTE,
        gateway("GRPCRoute", { name: "orders" }),
        policyFor({ targetRef: { kind: "GRPCRoute", name: "quotes" } }),
      ),
    ],
    hasNot: [
      UNCHANGED,
      besideGateway("an HTTPRoute", gateway("HTTPRoute", { name: "page" })),
      besideGateway(
        "a policy for the route",
        GRPC_ROUTE,
        policyFor({ targetRefs: [{ kind: "GRPCRoute", name: "quotes" }] }),
      ),
      besideGateway(
        "a policy for the route, by the older field",
        GRPC_ROUTE,
        policyFor({ targetRef: { kind: "GRPCRoute", name: "quotes" } }, {
          namespace: "shop",
        }),
      ),
      besideGateway(
        "a policy for the route's labels",
        GRPC_ROUTE,
        policyFor({
          targetSelectors: [{ kind: "GRPCRoute", matchLabels: { app: "a" } }],
        }),
      ),
      besideGateway(
        "a policy for the Gateway, which is elsewhere",
        GRPC_ROUTE,
        policyFor({ targetRefs: [{ kind: "Gateway", name: "front" }] }),
      ),
      besideGateway(
        "a policy for the Gateway's labels",
        GRPC_ROUTE,
        gateway("Gateway", { name: "front", labels: { app: "c" } }),
        policyFor({
          targetSelectors: [{ kind: "Gateway", matchLabels: { app: "c" } }],
        }),
      ),
    ],
    unseen: "the manifests are all that there is to see",
  },
  oghttp2: {
    has: [one("true", ["layered_runtime"], runtime({ [OGHTTP2_FLAG]: true }))],
    hasNot: [
      UNCHANGED,
      one("false", ["layered_runtime"], runtime({ [OGHTTP2_FLAG]: "false" })),
    ],
    unseen: [RUNTIME_FILES, RTDS],
  },
};

function healthFilter(fields: Fields, around: Fields = {}): Change {
  return {
    what: JSON.stringify({ ...fields, ...around }),
    set: [[[...MANAGER, "http_filters"], [{
      name: "health",
      ...around,
      typed_config: typed("filters.http.health_check.v3.HealthCheck", {
        headers: [{ name: ":path", string_match: { exact: "/" } }],
        ...fields,
      }),
    }, {
      name: "router",
      typed_config: typed("filters.http.router.v3.Router"),
    }]]],
  };
}

function changed({ set, beside }: Change): string {
  const config = parseYaml(BASE, "base.yaml");
  for (const [path, value] of set) {
    const key = path.at(-1);
    if (key === undefined) continue;
    const part = partAt(config, ...path.slice(0, -1));
    if (value === undefined) delete part[key];
    else part[key] = value;
  }
  const text = JSON.stringify(config);
  return beside === undefined ? text : JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [...beside, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "front", namespace: "front" },
      data: { "envoy.json": text },
    }],
  });
}

/** Services beside a configuration whose cluster is at this name. */
function besideServices(
  what: string,
  beside: readonly Fields[],
  host = "quotes",
): Change {
  const assignment = endpoints(socket(host, 7070));
  return { what, beside, set: [[[...CLUSTER, "load_assignment"], assignment]] };
}

/** A manifest of a Service. */
function service(name: string, spec: Fields, namespace?: string): Fields {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: "v1", kind: "Service", metadata, spec };
}

/** Manifests of Gateway API beside a configuration. */
function besideGateway(what: string, ...beside: readonly Fields[]): Change {
  return { what, beside, set: [] };
}

/** A manifest of Gateway API. */
function gateway(kind: string, metadata: Fields, spec: Fields = {}): Fields {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata,
    spec,
  };
}

/** A policy of Envoy Gateway for a target. */
function policyFor(spec: Fields, metadata: Fields = {}): Fields {
  return {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "BackendTrafficPolicy",
    metadata: { name: "any", ...metadata },
    spec,
  };
}

function isFound(id: string, change: Change): boolean {
  const { diagnoses } = examined(changed(change), change.said, change.files);
  return diagnoses.some(({ rule }) => rule.id === id);
}

for (const { id } of DOCTOR_RULES) {
  const { has = [], hasNot = [], unseen = [] } = TABLES[id] ?? {};
  Deno.test(`the rule "${id}" has a table of all three kinds`, () => {
    assert.ok(has.length > 0 && hasNot.length > 0 && unseen.length > 0);
  });
  for (const change of has) {
    Deno.test(`the rule "${id}" finds: ${change.what}`, () => {
      assert.equal(isFound(id, change), true);
    });
  }
  for (const change of hasNot) {
    Deno.test(`the rule "${id}" does not find: ${change.what}`, () => {
      assert.equal(isFound(id, change), false);
    });
  }
  for (const change of typeof unseen === "string" ? [] : unseen) {
    Deno.test(`the rule "${id}" cannot tell, and this is said: ${change.what}`, () => {
      assert.equal(isFound(id, change), false);
      const { unseen } = examined(changed(change), change.said);
      // This alone would be said of an empty file, too.
      const said = unseen.map(({ what }) => what)
        .filter((what) => what !== "no route for gRPC calls is in it");
      assert.notDeepEqual(said, []);
    });
  }
}
