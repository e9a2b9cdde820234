/** Pitfalls of load balancing, discovery and health checks. */
import { at } from "../core/yaml.ts";
import { type Cluster, durationMs, type Model } from "./model.ts";
import { type Finding, type Rule, shown } from "./rule.ts";

/** Resolving less often than this keeps a new server waiting. */
const REFRESH_MS_MAX = 2000;

/** Checking an idle cluster less often than this hides its state. */
const NO_TRAFFIC_MS_MAX = 5000;

/** Finds a field in every routed cluster where it fails a test. */
function clusterField(
  path: readonly string[],
  isFine: (value: unknown, cluster: Cluster) => boolean,
): Rule["find"] {
  return ({ clusters }) =>
    clusters
      .filter(({ isRouted }) => isRouted)
      .filter((cluster) => !isFine(at(cluster.fields, ...path), cluster))
      .map(({ name, fields }) => ({
        field: `cluster "${name}": ${path.join(".")}`,
        now: shown(at(fields, ...path)),
      }));
}

/** Finds a field in every health check where it fails a test. */
function healthField(
  field: string,
  isFine: (value: unknown) => boolean,
): Rule["find"] {
  return ({ clusters }) =>
    clusters.flatMap(({ name, healthChecks }) =>
      healthChecks
        .filter((check) => !isFine(check[field]))
        .map((check) => ({
          field: `cluster "${name}": health_checks.${field}`,
          now: shown(check[field]),
        }))
    );
}

const isDns = ({ fields }: Cluster) =>
  ["STRICT_DNS", "LOGICAL_DNS"].includes(String(fields["type"]));

/** Finds servers that are reached only through a tcp_proxy. */
function onlyByTcp({ clusters, tcpTargets }: Model): Finding[] {
  const balanced = new Set(
    clusters.filter(({ isRouted }) => isRouted)
      .flatMap(({ addresses }) => addresses),
  );
  return [...tcpTargets].flatMap(([listener, target]) => {
    const cluster = clusters.find(({ name }) => name === target);
    const pinned = cluster?.addresses.filter((one) => !balanced.has(one)) ?? [];
    return pinned.length === 0 ? [] : [{
      field: `listener "${listener}": tcp_proxy`,
      now: `the only way to ${pinned.join(", ")}`,
    }];
  });
}

/** Finds health checks that name an unknown service. */
function unknownService(
  { clusters, managers }: Model,
  services: readonly string[],
): Finding[] {
  const routed = managers.flatMap(({ routes }) => routes)
    .map(({ path }) => /^\/([\w.]+)\//.exec(path)?.[1])
    .filter((service) => service !== undefined);
  const known = services.length > 0 ? services : routed;
  if (known.length === 0) return []; // There is nothing to compare with.
  return clusters.flatMap(({ name, healthChecks }) =>
    healthChecks
      .map((check) => at(check, "grpc_health_check", "service_name"))
      .filter((service) => typeof service === "string" && service !== "")
      .filter((service) => !known.includes(String(service)))
      .map((service) => ({
        field:
          `cluster "${name}": health_checks.grpc_health_check.service_name`,
        now: `${shown(service)}, known are ${known.join(", ")}`,
      }))
  );
}

/** Rules about which servers get calls, and how Envoy decides. */
export const DISCOVERY_RULES: readonly Rule[] = [
  {
    id: "tcp-proxy",
    why: "All calls of a connection stay on one server; use an " +
      "http_connection_manager, which balances each call",
    experiment: "l4-pins-calls",
    find: onlyByTcp,
  },
  {
    id: "no-health-check",
    why: "A dead server keeps getting its share of the calls; add a " +
      "grpc_health_check",
    experiment: "kill-one",
    find: clusterField([], (_, { healthChecks }) => healthChecks.length > 0),
  },
  {
    id: "unknown-service",
    why:
      "Servers answer NOT_FOUND for a service that they have not registered, " +
      "so none ever becomes healthy; name one that they serve",
    experiment: "wrong-health-service",
    find: unknownService,
  },
  {
    id: "no-traffic-interval",
    why: "An idle cluster is checked every 60 s, so its first calls may hit " +
      "dead servers; set no_traffic_interval to about the interval",
    experiment: "all-down-and-back",
    find: healthField(
      "no_traffic_interval",
      (value) => (durationMs(value) ?? Infinity) <= NO_TRAFFIC_MS_MAX,
    ),
  },
  {
    id: "panic-threshold",
    why: "Below this share of healthy servers (50 % unless set) Envoy calls " +
      "the unhealthy ones too, which hides every health problem; set it to 0",
    experiment: "panic-threshold",
    find: clusterField(
      ["common_lb_config", "healthy_panic_threshold", "value"],
      (value) => value === 0,
    ),
  },
  {
    id: "new-hosts-before-check",
    why: "A new server counts as part of the cluster before its first check; " +
      "set it to true",
    experiment: "scale-up",
    find: clusterField(
      ["common_lb_config", "ignore_new_hosts_until_first_hc"],
      (value) => value === true,
    ),
  },
  {
    id: "removed-hosts-stay",
    why: "A server that discovery has removed gets calls for as long as its " +
      "health checks pass: false says that this is meant, true drops it at " +
      "once, and with it every server while DNS answers with none",
    experiment: "dns-outage",
    find: clusterField(
      ["ignore_health_on_host_removal"],
      (value, { healthChecks }) =>
        healthChecks.length === 0 || typeof value === "boolean",
    ),
  },
  {
    id: "slow-discovery",
    why: "New servers get no calls until Envoy resolves the name again " +
      "(5 s unless set); set dns_refresh_rate to a second or two",
    experiment: "scale-up",
    find: clusterField(
      ["dns_refresh_rate"],
      (value, cluster) =>
        !isDns(cluster) || (durationMs(value) ?? Infinity) <= REFRESH_MS_MAX,
    ),
  },
  {
    id: "dns-ttl",
    why:
      "Docker's DNS answers have a TTL of 600 s; leave respect_dns_ttl false",
    experiment: "scale-up",
    find: clusterField(["respect_dns_ttl"], (value) => value !== true),
  },
];
