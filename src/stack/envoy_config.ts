/**
 * Reads envoy.yaml and derives a stack's configuration from it. Only addresses
 * and the resolver change.
 */
import { Failure } from "../core/errors.ts";
import { at, type Fields, fieldsOf, listOf, parseYaml } from "../core/yaml.ts";
import envoyYaml from "../../envoy.yaml" with { type: "text" };

/** A parsed envoy.yaml. */
export interface EnvoyConfig {
  admin: { address: Address | Pipe };
  static_resources: { listeners: Listener[]; clusters: Cluster[] };
  [field: string]: unknown;
}

/** An address in Envoy's configuration. */
export interface Address {
  socket_address: { address: string; port_value: number };
}

/** A local socket in Envoy's configuration. */
export interface Pipe {
  pipe: { path: string };
}

/** A listener in Envoy's configuration. */
export interface Listener {
  name: string;
  address: Address;
  [field: string]: unknown;
}

/** A cluster in Envoy's configuration. */
export interface Cluster {
  name: string;
  [field: string]: unknown;
}

/** A change of the configuration, made for an experiment. */
export type ConfigChange = (config: EnvoyConfig) => void;

/** The text of this project's envoy.yaml. */
export const ENVOY_YAML: string = envoyYaml;

/** The cluster of the balanced listener, and its servers' DNS name. */
export const GRPC_CLUSTER = "grpc-server";
/** The balanced listener. */
export const GRPC_LISTENER = "grpc";
/** The listener that balances connections. */
export const L4_LISTENER = "l4";
/** The listener in front of Envoy's admin interface. */
export const ADMIN_LISTENER = "admin";

/** The addresses of a stack on this machine. */
export interface NativeAddresses {
  readonly host: string;
  readonly grpcPort: number;
  readonly l4Port: number;
  readonly adminPort: number;
  /** Where the servers are, for clusters that have fixed addresses. */
  readonly serverPlaces?: readonly { host: string; port: number }[];
}

/**
 * Parses a configuration.
 *
 * @param text YAML (default: this project's envoy.yaml).
 * @param name The file's name, for error messages.
 * @throws {Failure} `environment` when it is not YAML, or lacks a part that a
 * stack must change, or has it twice.
 */
export function parseEnvoyConfig(
  text: string = envoyYaml,
  name = "envoy.yaml",
): EnvoyConfig {
  const config = parseYaml(text, name);
  const problem = problemOf(config);
  if (problem === undefined) return config as EnvoyConfig;
  throw new Failure(
    "environment",
    `Cannot use ${name}: ${problem}; compare it with envoy.yaml in the ` +
      "repository",
  );
}

/** Why no stack can use it; undefined if one can. */
function problemOf(config: unknown): string | undefined {
  const statics = at(config, "static_resources");
  const isPipe = typeof at(config, "admin", "address", "pipe", "path") ===
    "string";
  const listeners = [GRPC_LISTENER, L4_LISTENER];
  if (isPipe) listeners.push(ADMIN_LISTENER);
  for (const name of listeners) {
    const found = named(at(statics, "listeners"), name);
    if (found.length !== 1) return `it has ${count(found)} "${name}"`;
    if (!hasAddress(found[0])) return `it has no address of "${name}"`;
  }
  const clusters = at(statics, "clusters");
  const found = named(clusters, GRPC_CLUSTER);
  if (found.length !== 1) {
    return `it has ${count(found, "cluster")} "${GRPC_CLUSTER}"`;
  }
  for (const cluster of listOf(clusters)) {
    const problem = problemOfCluster(cluster);
    if (problem !== undefined) {
      return `its cluster ${JSON.stringify(cluster["name"])} ${problem}`;
    }
  }
  return isPipe || hasAddress(at(config, "admin"))
    ? undefined
    : "it has no admin address";
}

function problemOfCluster(cluster: Fields): string | undefined {
  const hosts = endpointsOf(cluster)
    .map((one) => at(one, "address", "socket_address", "address"));
  const isServers = cluster["name"] === GRPC_CLUSTER;
  if (!isServers && !hosts.includes(GRPC_CLUSTER)) return undefined;
  if (
    cluster["type"] === "LOGICAL_DNS" ||
    dnsFields(cluster)?.["all_addresses_in_single_endpoint"] === true
  ) {
    return "has one address at a time, so that calls are not balanced: it " +
      "must be STRICT_DNS, not LOGICAL_DNS";
  }
  if (dnsFields(cluster) === undefined) return undefined;
  if (hosts.length === 0) return "has no endpoint";
  const other = hosts.find((host) => host !== GRPC_CLUSTER);
  if (hosts.includes(undefined)) return "has an endpoint without an address";
  return other === undefined
    ? undefined
    : `asks DNS for ${JSON.stringify(other)}, where servers have the name ` +
      `"${GRPC_CLUSTER}"`;
}

function named(list: unknown, name: string): readonly Fields[] {
  return listOf(list).filter((one) => one["name"] === name);
}

function count(found: readonly unknown[], what = "listener"): string {
  return found.length === 0
    ? `no ${what} named`
    : `${found.length} ${what}s named`;
}

function hasAddress(value: unknown): boolean {
  const address = at(value, "address", "socket_address");
  return typeof address === "object" && address !== null;
}

/**
 * The DNS settings of a cluster that uses every address of a name: its own
 * fields or the extension's; undefined if it does not use DNS.
 */
export function dnsFields(cluster: Fields): Fields | undefined {
  if (cluster["type"] === "STRICT_DNS") return cluster;
  const config = fieldsOf(at(cluster, "cluster_type", "typed_config"));
  return String(config["@type"]).endsWith(".DnsCluster") ? config : undefined;
}

/**
 * Changes a configuration to this machine's addresses, in place.
 *
 * @param discover Changes a cluster that finds the servers in DNS.
 */
export function moveToNative(
  config: EnvoyConfig,
  place: NativeAddresses,
  discover: (cluster: Cluster) => void,
): EnvoyConfig {
  const ports = new Map([[GRPC_LISTENER, place.grpcPort], [
    L4_LISTENER,
    place.l4Port,
  ]]);
  const { admin } = config;
  if ("pipe" in admin.address) {
    ports.set(ADMIN_LISTENER, place.adminPort);
    renamePipe(config, admin.address.pipe.path, place.adminPort);
  } else {
    // This configuration's admin interface has a port of its own.
    admin.address = socketAddress(place.host, place.adminPort);
  }
  for (const listener of config.static_resources.listeners) {
    const port = ports.get(listener.name);
    if (port !== undefined) listener.address = socketAddress(place.host, port);
  }
  for (const cluster of config.static_resources.clusters) {
    if (serverSockets(cluster).length === 0) continue;
    if (dnsFields(cluster) !== undefined) discover(cluster);
    else if (hasFixedServers(cluster)) {
      fixServers(cluster, place.serverPlaces ?? []);
    }
  }
  return config;
}

/** Whether a cluster of the servers never asks where they are. */
export function hasFixedServers(cluster: Cluster): boolean {
  return (cluster["type"] ?? "STATIC") === "STATIC" &&
    cluster["cluster_type"] === undefined && serverSockets(cluster).length > 0;
}

/** Gives a cluster these servers for good, in place. */
function fixServers(
  cluster: Cluster,
  places: Required<NativeAddresses>["serverPlaces"],
): void {
  const [group] = listOf(at(cluster, "load_assignment", "endpoints"));
  cluster["load_assignment"] = {
    cluster_name: cluster.name,
    endpoints: [{
      ...group,
      lb_endpoints: places.map(({ host, port }) => ({
        endpoint: { address: socketAddress(host, port) },
      })),
    }],
  };
}

/** The addresses in a cluster that are the servers' name. */
export function serverSockets(cluster: Fields): readonly Fields[] {
  return endpointsOf(cluster)
    .map((one) => fieldsOf(at(one, "address", "socket_address")))
    .filter(({ address }) => address === GRPC_CLUSTER);
}

/** Abstract sockets are global, so each stack's needs a name of its own. */
function renamePipe(config: EnvoyConfig, path: string, port: number): void {
  const renamed: Pipe = { pipe: { path: `${path}-${port}` } };
  config.admin.address = renamed;
  for (
    const endpoint of config.static_resources.clusters.flatMap(endpointsOf)
  ) {
    if (at(endpoint, "address", "pipe", "path") === path) {
      endpoint["address"] = renamed;
    }
  }
}

function endpointsOf(cluster: Fields): readonly Fields[] {
  return listOf(at(cluster, "load_assignment", "endpoints"))
    .flatMap((group) => listOf(group["lb_endpoints"]))
    .map((one) => fieldsOf(one["endpoint"]));
}

function socketAddress(address: string, port: number): Address {
  return { socket_address: { address, port_value: port } };
}
