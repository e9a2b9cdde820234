/** The parts of an Envoy configuration that the doctor examines. */
import { isDeepStrictEqual } from "node:util";
import { hostPort } from "../core/address.ts";
import { Failure } from "../core/errors.ts";
import { at, type Fields, fieldsOf, listOf, parseYaml } from "../core/yaml.ts";

/** One route of an HTTP connection manager. */
export interface Route {
  /** Its name, or its path if it has none. */
  readonly name: string;
  /** The path or prefix that it matches; "/" matches everything. */
  readonly path: string;
  readonly action: Fields;
}

/** An HTTP connection manager. */
export interface Manager {
  readonly listener: string;
  readonly fields: Fields;
  readonly routes: readonly Route[];
}

/** A cluster. */
export interface Cluster {
  readonly name: string;
  readonly fields: Fields;
  /** The "host:port" of its endpoints. */
  readonly addresses: readonly string[];
  readonly healthChecks: readonly Fields[];
  /** Whether Envoy speaks HTTP/2 to it, which gRPC needs. */
  readonly isHttp2: boolean;
  /** Whether an HTTP connection manager routes to it. */
  readonly isRouted: boolean;
  /** The HTTP/2 options of its connections; empty if there are none. */
  readonly http2: Fields;
}

/** What callers can reach in a configuration. */
export interface Model {
  /** Without those that lead only to Envoy's own admin interface. */
  readonly managers: readonly Manager[];
  /** Clusters that calls are sent to, by HTTP or TCP. */
  readonly clusters: readonly Cluster[];
  /** Clusters that a tcp_proxy sends connections to, by listener. */
  readonly tcpTargets: ReadonlyMap<string, string>;
  readonly root: Fields;
}

/** A duration such as "0.25s" in milliseconds; undefined for anything else. */
export function durationMs(value: unknown): number | undefined {
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(String(value)) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/**
 * Parses any envoy.yaml.
 *
 * @throws {Failure} `environment` when it is not YAML or not a static
 * configuration.
 */
export function parseModel(text: string, name: string): Model {
  const root = fieldsOf(parseYaml(text, name));
  const listeners = listOf(at(root, "static_resources", "listeners"));
  if (listeners.length === 0) {
    throw new Failure(
      "environment",
      `Cannot examine ${name}: it has no static_resources.listeners; name a ` +
        "complete static configuration",
    );
  }
  const filters = listeners.flatMap((listener) =>
    listOf(listener["filter_chains"])
      .flatMap((chain) => listOf(chain["filters"]))
      .map((filter) => ({
        listener: String(listener["name"] ?? "unnamed"),
        config: fieldsOf(filter["typed_config"]),
      }))
  );
  const ofType = (type: string) =>
    filters.filter(({ config }) => String(config["@type"]).endsWith(type));
  const clusters = listOf(at(root, "static_resources", "clusters"));
  const ofAdmin = new Set(
    clusters.filter((fields) => isAdmin(fields, at(root, "admin", "address")))
      .map(({ name }) => String(name)),
  );
  const managers = ofType(".HttpConnectionManager").map(
    ({ listener, config }) => ({
      listener,
      fields: config,
      routes: routesOf(config),
    }),
  ).filter(({ routes }) =>
    routes.length === 0 ||
    routes.some(({ action }) => !ofAdmin.has(String(action["cluster"])))
  );
  const tcpTargets = new Map(
    ofType(".TcpProxy").map(({ listener, config }) =>
      [listener, String(config["cluster"])] as const
    ),
  );
  const routed = new Set(
    managers.flatMap(({ routes }) => routes).map(({ action }) =>
      String(action["cluster"])
    ),
  );
  const targets = new Set([...routed, ...tcpTargets.values()]);
  return {
    root,
    managers,
    tcpTargets,
    clusters: clusters
      .filter(({ name }) => targets.has(String(name)))
      .map((fields) => clusterOf(fields, routed)),
  };
}

function routesOf(manager: Fields): readonly Route[] {
  return listOf(at(manager, "route_config", "virtual_hosts"))
    .flatMap((host) => listOf(host["routes"]))
    .filter((route) => route["route"] !== undefined)
    .map((route) => {
      const match = fieldsOf(route["match"]);
      const path = String(match["path"] ?? match["prefix"] ?? "/");
      return {
        name: String(route["name"] ?? path),
        path,
        action: fieldsOf(route["route"]),
      };
    });
}

/** Whether a cluster is Envoy itself: its admin interface. */
function isAdmin(cluster: Fields, address: unknown): boolean {
  return address !== undefined &&
    listOf(at(cluster, "load_assignment", "endpoints"))
      .flatMap((group) => listOf(group["lb_endpoints"]))
      .some((one) =>
        isDeepStrictEqual(at(one, "endpoint", "address"), address)
      );
}

/** The DNS extension has the same fields as the cluster itself. */
function withDns(fields: Fields): Fields {
  const config = fieldsOf(at(fields, "cluster_type", "typed_config"));
  return String(config["@type"]).endsWith(".DnsCluster")
    ? { ...fields, ...config, type: "STRICT_DNS" }
    : fields;
}

function clusterOf(written: Fields, routed: ReadonlySet<string>): Cluster {
  const fields = withDns(written);
  const name = String(fields["name"]);
  const options = Object.values(
    fieldsOf(fields["typed_extension_protocol_options"]),
  ).map((one) => at(one, "explicit_http_config", "http2_protocol_options"));
  const http2 = options.find((one) => one !== undefined) ??
    fields["http2_protocol_options"];
  return {
    name,
    fields,
    addresses: listOf(at(fields, "load_assignment", "endpoints"))
      .flatMap((group) => listOf(group["lb_endpoints"]))
      .map((one) => fieldsOf(at(one, "endpoint", "address", "socket_address")))
      .map((socket) =>
        hostPort(String(socket["address"]), Number(socket["port_value"]))
      ),
    healthChecks: listOf(fields["health_checks"]),
    isHttp2: http2 !== undefined,
    isRouted: routed.has(name),
    http2: fieldsOf(http2),
  };
}
