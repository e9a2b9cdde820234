/** Gives a cluster of any configuration the servers of a local run. */
import { at, type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import type { Cluster } from "../doctor/cluster.ts";
import { ofCluster } from "../doctor/rule.ts";
import { GRPC_CLUSTER } from "../stack/envoy_config.ts";
import { OUR_SERVICE } from "./call.ts";
import { keptFilters } from "./filters.ts";
import type { Notes } from "./_notes.ts";
import { jsonOf } from "./json.ts";

/** What a plain connection to 127.0.0.1 cannot have, or what leads elsewhere. */
const LEFT_OUT = [
  "transport_socket",
  "transport_socket_matches",
  "transport_socket_matcher",
  "upstream_bind_config",
  "lb_subset_config",
  "filters",
  "lrs_server",
  "alt_stat_name",
  "stats_matcher",
  "upstream_config",
];

/** The settings of the name server, which is another one here. */
const OF_RESOLVER = [
  "dns_resolvers",
  "use_tcp_for_dns_lookups",
  "dns_resolution_config",
  "typed_dns_resolver_config",
];

/** What a check of another machine needs. */
const OF_CHECK = [
  "alt_port",
  "event_log_path",
  "event_logger",
  "event_service",
  "tls_options",
  "transport_socket_match_criteria",
];

/** What needs several localities, and servers on one machine have one. */
const OF_LOCALITIES = ["locality_weighted_lb_config", "zone_aware_lb_config"];

/**
 * Why a cluster cannot have the local servers; undefined if it can.
 *
 * @returns As in `cluster "a" …`.
 */
export function obstacleIn(cluster: Cluster): string | undefined {
  const { discovery, message } = cluster;
  if (discovery === "logical-dns") {
    return `${ofCluster(cluster)} has one address at a time, so that calls ` +
      "are not balanced: it must be STRICT_DNS, not LOGICAL_DNS";
  }
  if (discovery === "other") {
    const type = message.text("cluster_type.name") ?? message.text("type");
    return `${ofCluster(cluster)} finds servers by ${type}, which has no ` +
      "counterpart on this machine";
  }
  return undefined;
}

/**
 * A cluster with the local servers, plain connections and our health service.
 *
 * @param name Its name in the local run.
 * @param services Those whose calls it gets; empty if they are not known.
 */
export function localCluster(
  cluster: Cluster,
  name: string,
  services: ReadonlySet<string | undefined>,
  notes: Notes,
): Fields {
  const of = ofCluster(cluster);
  const fields = jsonOf(cluster.message);
  const hasTls = Object.hasOwn(fields, "transport_socket") ||
    Object.hasOwn(fields, "transport_socket_matches");
  notes.leaveOut(fields, LEFT_OUT, of);
  if (fields["name"] !== name) notes.add(of, `is called "${name}"`);
  fields["name"] = name;
  useLocalServers(cluster, fields, of, notes);
  listOf(fields["health_checks"]).forEach((check) =>
    useOurHealth(check, services, of, notes)
  );
  const balancing = fieldsOf(fields["common_lb_config"]);
  notes.leaveOut(balancing, OF_LOCALITIES, of);
  const detection = fieldsOf(fields["outlier_detection"]);
  notes.leaveOut(detection, ["monitors"], of);
  const options = Object.values(
    fieldsOf(fields["typed_extension_protocol_options"]),
  ).map(fieldsOf);
  for (const one of options) {
    usePlainHttp(one, hasTls, of, notes);
    notes.leaveOut(one, ["request_mirror_policies"], of);
    const filters = keptFilters(one["http_filters"], of, notes);
    if (filters.length > 0) one["http_filters"] = filters;
  }
  return fields;
}

function useLocalServers(
  { addresses, discovery }: Cluster,
  fields: Fields,
  of: string,
  notes: Notes,
): void {
  const servers = `the local servers in place of ${
    addresses.slice(0, 3).join(", ") || "those of its discovery"
  }${addresses.length > 3 ? " and more" : ""}`;
  notes.add(of, servers);
  if (discovery === "eds") {
    notes.add(of, "servers come from DNS, asked every second, not from EDS");
    delete fields["eds_cluster_config"];
    fields["type"] = "STRICT_DNS";
    fields["dns_refresh_rate"] = "1s";
  }
  for (
    const where of [
      fields,
      fieldsOf(at(fields, "cluster_type", "typed_config")),
    ]
  ) {
    for (const name of OF_RESOLVER) delete where[name];
    if (where["dns_lookup_family"] === "V6_ONLY") {
      notes.add(of, "dns_lookup_family V4_ONLY in place of V6_ONLY");
      where["dns_lookup_family"] = "V4_ONLY";
    }
  }
  const address = {
    socket_address: { address: GRPC_CLUSTER, port_value: 8080 },
  };
  fields["load_assignment"] = {
    cluster_name: GRPC_CLUSTER,
    endpoints: [{
      lb_endpoints: [{ endpoint: { address } }],
      // A policy that weighs localities calls none without a weight.
      load_balancing_weight: 1,
    }],
  };
}

function useOurHealth(
  check: Fields,
  services: ReadonlySet<string | undefined>,
  of: string,
  notes: Notes,
): void {
  notes.leaveOut(check, OF_CHECK, of);
  for (const name of ["http_health_check", "custom_health_check"]) {
    if (!Object.hasOwn(check, name)) continue;
    delete check[name];
    check["grpc_health_check"] = { service_name: OUR_SERVICE };
    notes.add(of, `grpc_health_check in place of ${name}`);
  }
  const grpc = fieldsOf(check["grpc_health_check"]);
  const service = String(grpc["service_name"] ?? "");
  if (service === "" || service === OUR_SERVICE) return;
  // One whose calls it does not get is what the doctor calls "unknown-service": it
  // stays, and no server becomes healthy.
  if (services.size > 0 && !services.has(service)) return;
  grpc["service_name"] = OUR_SERVICE;
  notes.add(of, `health checks ask for ${OUR_SERVICE} in place of ${service}`);
}

/** Without TLS there is no ALPN, by which "auto_config" chooses HTTP/2. */
function usePlainHttp(
  options: Fields,
  hasTls: boolean,
  of: string,
  notes: Notes,
): void {
  const auto = options["auto_config"];
  if (auto === undefined || !hasTls) return;
  delete options["auto_config"];
  options["explicit_http_config"] = {
    http2_protocol_options: at(auto, "http2_protocol_options") ?? {},
  };
  notes.add(of, "explicit_http_config with HTTP/2 in place of auto_config");
}
