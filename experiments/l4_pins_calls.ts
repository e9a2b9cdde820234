/**
 * What balancing connections instead of calls does, and what else keeps calls
 * from servers.
 */
import {
  allOf,
  type Experiment,
  grpcCluster,
  type NamedChange,
  noRetries,
  shareBetween,
} from "../src/experiment/authors.ts";
import type { Cluster } from "../src/stack/envoy_config.ts";
import { noCallIsLost } from "./_claims.ts";

const THIRD = 1 / 3;

const EXTENSIONS = "type.googleapis.com/envoy.extensions";

/** Takes what only a cluster with the type STRICT_DNS may have. */
function takeDns(cluster: Cluster): void {
  for (
    const field of [
      ...["type", "dns_lookup_family"],
      ...["dns_refresh_rate", "dns_failure_refresh_rate"],
    ]
  ) delete cluster[field];
}

/** In the extension's words, which every stack moves to its addresses. */
const logicalDns: NamedChange = {
  name: "LOGICAL_DNS",
  apply: (config) => {
    const cluster = grpcCluster(config);
    takeDns(cluster);
    cluster["cluster_type"] = {
      name: "envoy.clusters.dns",
      typed_config: {
        "@type": `${EXTENSIONS}.clusters.dns.v3.DnsCluster`,
        dns_lookup_family: "V4_ONLY",
        dns_refresh_rate: "1s",
        all_addresses_in_single_endpoint: true,
      },
    };
  },
};

/**
 * A listener within Envoy does what a Service on Kubernetes does. Its health is
 * not checked: such a listener answers workers only.
 */
const oneAddress: NamedChange = {
  name: "one address in front of the servers, which balances connections",
  apply: (config) => {
    config["bootstrap_extensions"] = [{
      name: "envoy.bootstrap.internal_listener",
      typed_config: {
        "@type":
          `${EXTENSIONS}.bootstrap.internal_listener.v3.InternalListener`,
      },
    }];
    const statics = config.static_resources as { listeners: unknown[] };
    statics.listeners.push({
      name: "service",
      internal_listener: {},
      filter_chains: [{
        filters: [{
          name: "envoy.filters.network.tcp_proxy",
          typed_config: {
            "@type": `${EXTENSIONS}.filters.network.tcp_proxy.v3.TcpProxy`,
            stat_prefix: "service",
            cluster: "grpc-server-l4",
          },
        }],
      }],
    });
    const cluster = grpcCluster(config);
    takeDns(cluster);
    delete cluster["health_checks"];
    const address = {
      envoy_internal_address: { server_listener_name: "service" },
    };
    cluster["load_assignment"] = {
      cluster_name: cluster.name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    };
  },
};

/** With the checks that it then may have: Envoy refuses those by gRPC. */
const upstreamHttp1: NamedChange = {
  name: "HTTP/1.1 to the servers",
  apply: (config) => {
    const cluster = grpcCluster(config);
    delete cluster["typed_extension_protocol_options"];
    cluster["health_checks"] = [{
      ...{ interval: "1s", timeout: "0.5s", no_traffic_interval: "1s" },
      ...{ unhealthy_threshold: 2, healthy_threshold: 2 },
      tcp_health_check: {},
    }];
  },
};

export const l4PinsCalls: Experiment = {
  name: "l4-pins-calls",
  question: "Are the calls of one connection balanced over the servers?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 4000, connections: 1 },
  events: [],
  claims: [
    noCallIsLost,
    {
      id: "spread",
      text: "each of three servers gets a third of the calls, within 1 %",
      judge: allOf(
        ...[1, 2, 3].map((number) =>
          shareBetween(`server-${number}`, THIRD * 0.99, THIRD * 1.01)
        ),
      ),
    },
  ],
  control: {
    about: "the L4 listener, which balances connections",
    load: { listener: "l4" },
    breaks: ["spread"],
  },
  furtherControls: [{
    about: logicalDns.name,
    changes: [logicalDns],
    setup: { addresses: 1 },
    load: { durationMs: 1000 },
    breaks: ["spread"],
  }, {
    about: oneAddress.name,
    changes: [oneAddress],
    setup: { addresses: 1 },
    load: { durationMs: 1000 },
    breaks: ["spread"],
  }, {
    about: `${upstreamHttp1.name}, no retries`,
    changes: [upstreamHttp1, noRetries],
    load: { durationMs: 1000 },
    breaks: ["lost"],
  }],
};
