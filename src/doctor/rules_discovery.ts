/** Pitfalls of load balancing, discovery and health checks. */
import { asksDns, type Cluster, refreshMs } from "./cluster.ts";
import type { Service } from "./configuration.ts";
import { type Model, runtimeNumber } from "./model.ts";
import type { Route } from "./route.ts";
import {
  type Finding,
  finding,
  ofCluster,
  ofListener,
  quoted,
  type Rule,
  seconds,
} from "./rule.ts";

/** Resolving less often than this keeps a new server waiting. */
const REFRESH_MS_MAX = 2000;

/** Checking an idle cluster less often than this hides its state. */
const NO_TRAFFIC_MS_MAX = 5000;

/** How often Envoy checks an idle cluster unless told otherwise. */
const NO_TRAFFIC_MS_DEFAULT = 60_000;

/** The share of healthy servers below which Envoy panics, unless set. */
const PANIC_PERCENT_DEFAULT = 50;

/** A weight of less than this starves a new server. */
const SLOW_START_PERCENT_MIN = 10;

/** Finds clusters where a test of a field holds. */
function inClusters(
  path: string,
  isFault: (cluster: Cluster, model: Model) => boolean,
  now?: (cluster: Cluster, model: Model) => string,
): Rule["find"] {
  return (model) =>
    model.clusters
      .filter((cluster) => isFault(cluster, model))
      .map((cluster) =>
        finding(
          ofCluster(cluster),
          cluster.message,
          path,
          now?.(cluster, model),
        )
      );
}

/** Finds a field of a cluster's DNS settings, wherever they are. */
function inDns(
  path: string,
  isFault: (cluster: Cluster) => boolean,
  now?: (cluster: Cluster) => string,
): Rule["find"] {
  return ({ clusters }) =>
    clusters.filter(isFault).map((cluster) =>
      finding(ofCluster(cluster), cluster.dns, path, now?.(cluster))
    );
}

/** Whether discovery can take a server away. */
function canShrink({ discovery }: Cluster): boolean {
  return discovery !== "static";
}

/** Whether a server can be known to be unhealthy at all. */
function knowsHealth({ healthChecks, message }: Cluster): boolean {
  return healthChecks.length > 0 || message.has("outlier_detection");
}

/** Finds servers that are reached only through a tcp_proxy. */
function onlyByTcp({ clusters, tcpRoutes }: Model): readonly Finding[] {
  const balanced = new Set(clusters.flatMap(({ addresses }) => addresses));
  return tcpRoutes.flatMap(({ listener, message, cluster }) => {
    const isBalanced = clusters.includes(cluster) ||
      cluster.addresses.length > 0 &&
        cluster.addresses.every((one) => balanced.has(one));
    return isBalanced ? [] : [finding(
      ofListener(listener),
      message,
      message.has("cluster") ? "cluster" : "weighted_clusters",
      `the only way to ${ofCluster(cluster)}`,
    )];
  });
}

/** The services whose calls are routed to a cluster; undefined if unknown. */
function servicesOf(
  cluster: Cluster,
  routes: readonly Route[],
): readonly string[] | undefined {
  const services = routes
    .filter(({ clusters }) => clusters.includes(cluster))
    .map(({ path }) => /^\/([\w.]+)\//.exec(path ?? "")?.[1]);
  return services.every((service) => service !== undefined)
    ? services as readonly string[]
    : undefined;
}

/** The service that answers health checks; it has no status of its own. */
const HEALTH_SERVICE = "grpc.health.v1.Health";

/** Finds health checks that name a service that servers do not register. */
function unknownService({ clusters, routes, circumstances }: Model) {
  return clusters.flatMap((cluster) => {
    const { services } = circumstances;
    const known = services.length > 0 ? services : servicesOf(cluster, routes);
    return cluster.healthChecks.flatMap((check) => {
      const path = "grpc_health_check.service_name";
      const name = check.text(path) ?? "";
      const isKnown = known?.includes(name) ?? true;
      if (name === "" || isKnown && name !== HEALTH_SERVICE) return [];
      const others = (known ?? []).map(quoted).join(", ");
      return [finding(
        ofCluster(cluster),
        check,
        path,
        quoted(name) + (others === "" ? "" : `, its routes are for ${others}`),
      )];
    });
  });
}

function noTrafficMs(check: Cluster["healthChecks"][number]): number {
  return check.number("no_traffic_interval") ?? NO_TRAFFIC_MS_DEFAULT;
}

/** A ring's own, which overrides those of routes. */
const OWN_HASH_POLICY = "consistent_hashing_lb_config.hash_policy";

/** Finds rings that no route fills: without a policy, hashes are random. */
function ringWithoutHash({ routes }: Model): readonly Finding[] {
  return routes.flatMap((route) =>
    route.clusters
      .filter(({ balancing: { policy, settings } }) =>
        ["RING_HASH", "MAGLEV"].includes(policy) &&
        !(settings?.list(OWN_HASH_POLICY).length ?? 0)
      )
      .filter(() => route.action.list("hash_policy").length === 0)
      .map((cluster) =>
        finding(
          `route ${quoted(route.name)}`,
          route.action,
          "hash_policy",
          `not set, and ${ofCluster(cluster)} is a ring`,
        )
      )
  );
}

function starvingSlowStart({ clusters }: Model): readonly Finding[] {
  return clusters.flatMap((cluster) => {
    const start = cluster.balancing.settings?.message("slow_start_config");
    if (start === undefined || (start.number("slow_start_window") ?? 0) <= 0) {
      return [];
    }
    // Without a minimum Envoy takes 10 %.
    const percent = start.number("min_weight_percent.value") ??
      (start.has("min_weight_percent") ? 0 : SLOW_START_PERCENT_MIN);
    return percent >= SLOW_START_PERCENT_MIN ? [] : [finding(
      ofCluster(cluster),
      start,
      "min_weight_percent",
      `${percent} %`,
    )];
  });
}

/** Whether an address is by a Service's name, with or without its namespace. */
function isNamed(service: Service, address: string): boolean {
  const [name, namespace, svc] = address.replace(/:\d+$/, "").split(".");
  if (name !== service.name) return false;
  if (namespace === undefined) return service.isNear;
  return (svc === undefined || svc === "svc") &&
    (service.namespace === "" || namespace === service.namespace);
}

/** Whether Envoy, when it panics, refuses calls instead of trying all servers. */
function refusesInPanic(
  { message, balancing: { settings } }: Cluster,
): boolean {
  const path = "zone_aware_lb_config.fail_traffic_on_panic";
  return (settings?.flag(`locality_lb_config.${path}`) ??
    message.flag(`common_lb_config.${path}`)) === true;
}

/** Rules about which servers get calls, and how Envoy decides. */
export const DISCOVERY_RULES: readonly Rule[] = [
  {
    id: "missing-cluster",
    severity: "wrong",
    why:
      "No call gets anywhere by a cluster that is not there: Envoy refuses " +
      "the configuration, answers UNAVAILABLE, or takes the next cluster of an " +
      "aggregate",
    change: "cluster: the-name-of-a-cluster",
    experiment: {
      instead:
        "envoy --mode validate -c your-envoy.yaml refuses it, and where routes come from discovery every call ends as UNAVAILABLE",
    },
    find: ({ missing }) =>
      missing.map(({ place, cluster, aggregate }) => ({
        of: aggregate === undefined ? "a route" : ofCluster(aggregate),
        place,
        now: `${quoted(cluster)}, which is no cluster here`,
      })),
  },
  {
    id: "upstream-http1",
    severity: "wrong",
    why: "gRPC needs HTTP/2, and without these options Envoy speaks HTTP/1.1 " +
      "to the servers, so that every call fails",
    change: `typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: {} }`,
    experiment: "l4-pins-calls",
    find: ({ clusters, routes }) =>
      clusters.filter((cluster) =>
        cluster.protocol === "http1" &&
        // The bridge translates calls into HTTP/1.1.
        routes.some(({ clusters, manager }) =>
          clusters.includes(cluster) &&
          !manager.filters.some(({ type }) =>
            type.includes(".grpc_http1_reverse_bridge.")
          )
        )
      ).map((cluster) => ({
        of: ofCluster(cluster),
        place: cluster.http2Place,
        now: "not set",
      })),
  },
  {
    id: "tcp-proxy",
    severity: "wrong",
    why: "All calls of a connection stay on one server; use an " +
      "http_connection_manager, which balances each call",
    change: `filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    experiment: "l4-pins-calls",
    find: onlyByTcp,
  },
  {
    id: "logical-dns",
    severity: "wrong",
    why:
      "LOGICAL_DNS calls only the first address of the answer, so that one " +
      "server gets all calls (measured with three: 400, 0 and 0 of 400)",
    change: "type: STRICT_DNS",
    experiment: "l4-pins-calls",
    find: ({ clusters }) =>
      clusters.filter(({ discovery }) => discovery === "logical-dns")
        .map((cluster) =>
          cluster.dns === cluster.message
            ? finding(ofCluster(cluster), cluster.message, "type")
            : finding(
              ofCluster(cluster),
              cluster.dns,
              "all_addresses_in_single_endpoint",
            )
        ),
  },
  {
    id: "one-address",
    severity: "wrong",
    why:
      "A Kubernetes Service has one address unless it is headless, so that " +
      "Envoy sees one server, and its connection stays on one pod",
    change: "clusterIP: None # in the Service",
    experiment: "l4-pins-calls",
    find: ({ clusters, virtualServices }) =>
      clusters.filter(asksDns).flatMap((cluster) => {
        const address = cluster.addresses.find((one) =>
          virtualServices.some((service) => isNamed(service, one))
        );
        return address === undefined ? [] : [finding(
          ofCluster(cluster),
          cluster.message,
          "load_assignment",
          `for ${quoted(address)}, a Service with an address`,
        )];
      }),
  },
  {
    id: "no-health-check",
    severity: "wrong",
    why: "A dead server keeps getting its share of the calls; add a " +
      "grpc_health_check",
    change: `health_checks:
  - interval: 1s
    timeout: 0.5s
    unhealthy_threshold: 2
    healthy_threshold: 2
    no_traffic_interval: 1s
    grpc_health_check: { service_name: your.Service }`,
    experiment: "kill-one",
    find: inClusters(
      "health_checks",
      ({ healthChecks }) => healthChecks.length === 0,
    ),
  },
  {
    id: "tcp-health-check",
    severity: "risky",
    why:
      "A check that only connects never sees NOT_SERVING, so that a server " +
      "that asks for no more calls gets them until it is gone",
    change: "grpc_health_check: { service_name: your.Service }",
    experiment: "rolling-restart",
    find: ({ clusters }) =>
      clusters.filter(({ healthChecks }) =>
        healthChecks.length > 0 &&
        healthChecks.every((check) => check.has("tcp_health_check"))
      ).map((cluster) =>
        finding(
          ofCluster(cluster),
          cluster.healthChecks[0] ?? cluster.message,
          "tcp_health_check",
          "the only check",
        )
      ),
  },
  {
    id: "health-answered-by-envoy",
    severity: "risky",
    why: "This filter answers health checks itself, so that Envoy looks " +
      "healthy while all of its servers are down",
    change: "pass_through_mode: true",
    experiment: "wrong-health-service",
    find: ({ managers }) =>
      managers.flatMap(({ listener, filters }) =>
        filters.filter((filter) =>
          filter.is("HealthCheck") &&
          filter.flag("pass_through_mode") !== true &&
          filter.map("cluster_min_healthy_percentages").size === 0
        ).map((filter) =>
          finding(ofListener(listener), filter, "pass_through_mode")
        )
      ),
  },
  {
    id: "unknown-service",
    severity: "wrong",
    why:
      "Servers answer NOT_FOUND for a service that they have not registered, " +
      "so none ever becomes healthy; name one that they serve",
    change: "grpc_health_check: { service_name: your.Service }",
    experiment: "wrong-health-service",
    find: unknownService,
  },
  {
    id: "no-traffic-interval",
    severity: "risky",
    why: "An idle cluster is checked every 60 s, so its first calls may hit " +
      "dead servers; set no_traffic_interval to about the interval",
    change: "no_traffic_interval: 1s",
    experiment: "kill-one",
    find: ({ clusters }) =>
      clusters.flatMap((cluster) =>
        cluster.healthChecks.filter((check) =>
          noTrafficMs(check) >
            Math.max(NO_TRAFFIC_MS_MAX, check.number("interval") ?? 0)
        ).map((check) =>
          finding(
            ofCluster(cluster),
            check,
            "no_traffic_interval",
            check.has("no_traffic_interval")
              ? seconds(noTrafficMs(check))
              : "not set",
          )
        )
      ),
  },
  {
    id: "panic-threshold",
    severity: "risky",
    why: "Below this share of healthy servers (50 % unless set) Envoy calls " +
      "the unhealthy ones too, which hides every health problem; set it to 0",
    change: "common_lb_config: { healthy_panic_threshold: { value: 0 } }",
    experiment: "panic-threshold",
    find: inClusters(
      "common_lb_config.healthy_panic_threshold",
      (cluster, model) =>
        knowsHealth(cluster) && panicPercent(cluster, model) > 0 &&
        !refusesInPanic(cluster),
      (cluster, model) => `${panicPercent(cluster, model)} %`,
    ),
  },
  {
    id: "new-hosts-before-check",
    severity: "risky",
    why: "A new server counts as part of the cluster before its first check; " +
      "set it to true",
    change: "common_lb_config: { ignore_new_hosts_until_first_hc: true }",
    experiment: "scale-up",
    find: inClusters(
      "common_lb_config.ignore_new_hosts_until_first_hc",
      (cluster) =>
        cluster.healthChecks.length > 0 && canShrink(cluster) &&
        cluster.message.flag(
            "common_lb_config.ignore_new_hosts_until_first_hc",
          ) !== true,
    ),
  },
  {
    id: "removed-hosts-stay",
    severity: "risky",
    why: "A server that discovery has removed gets calls for as long as its " +
      "health checks pass: false says that this is meant, true drops it at " +
      "once, and with it every server while DNS answers with none",
    change: "ignore_health_on_host_removal: false",
    experiment: "dns-outage",
    find: inClusters(
      "ignore_health_on_host_removal",
      (cluster, { isDump }) =>
        // A dump does not tell false, which says that it is meant, from unset.
        !isDump && cluster.healthChecks.length > 0 && canShrink(cluster) &&
        !cluster.message.has("ignore_health_on_host_removal"),
    ),
  },
  {
    id: "dns-empties-cluster",
    severity: "worth knowing",
    why:
      "An empty or NXDOMAIN answer removes every server at once, healthy or " +
      "not, until DNS is asked again (measured: 3 s of empty answers lost 301 " +
      "of 600 calls); ask often, or keep what passes its checks",
    change: "ignore_health_on_host_removal: false",
    experiment: "dns-outage",
    find: inDns(
      "dns_refresh_rate",
      (cluster) =>
        cluster.discovery === "strict-dns" && isSlow(cluster) &&
        (cluster.healthChecks.length === 0 ||
          cluster.message.flag("ignore_health_on_host_removal") === true),
      (cluster) => seconds(refreshMs(cluster)),
    ),
  },
  {
    id: "slow-discovery",
    severity: "risky",
    why: "New servers get no calls until Envoy resolves the name again " +
      "(5 s unless set); set dns_refresh_rate to a second or two",
    change: "dns_refresh_rate: 1s",
    experiment: "scale-up",
    find: inDns(
      "dns_refresh_rate",
      (cluster) => asksDns(cluster) && isSlow(cluster),
      (cluster) =>
        cluster.dns.has("dns_refresh_rate")
          ? seconds(refreshMs(cluster))
          : "not set",
    ),
  },
  {
    id: "dns-ttl",
    severity: "risky",
    why:
      "Docker's DNS answers have a TTL of 600 s; leave respect_dns_ttl false",
    change: "respect_dns_ttl: false",
    experiment: "scale-up",
    find: inDns(
      "respect_dns_ttl",
      (cluster) =>
        asksDns(cluster) && cluster.dns.flag("respect_dns_ttl") === true,
    ),
  },
  {
    id: "ring-without-hash",
    severity: "wrong",
    why:
      "Without a hash policy every call gets a random place on the ring, so " +
      "that no caller stays with its server",
    change: "hash_policy: [{ header: { header_name: your-key } }]",
    experiment: "sticky-callers",
    find: ringWithoutHash,
  },
  {
    id: "slow-start-starves",
    severity: "risky",
    why: "A new server begins with this share of its weight, and with less " +
      "than 10 % it may get no call for the whole window",
    change: "min_weight_percent: { value: 10 }",
    experiment: "slow-start",
    find: starvingSlowStart,
  },
];

function panicPercent({ message }: Cluster, model: Model): number {
  const path = "common_lb_config.healthy_panic_threshold";
  const written = message.has(path)
    ? message.number(`${path}.value`) ?? 0
    : PANIC_PERCENT_DEFAULT;
  return runtimeNumber(model, "upstream.healthy_panic_threshold") ?? written;
}

function isSlow(cluster: Cluster): boolean {
  return refreshMs(cluster) > REFRESH_MS_MAX;
}
