/**
 * Reads envoy.yaml and derives from it what a stack on this machine needs.
 * Nothing but addresses and the resolver is changed.
 */
import { parseDocument } from "yaml";
import { Failure, messageOf } from "../core/errors.ts";
import envoyYaml from "../../envoy.yaml" with { type: "text" };

/** A parsed envoy.yaml; its fields are looked up by name. */
export interface EnvoyConfig {
  admin: { address: Address | Pipe };
  static_resources: { listeners: Listener[]; clusters: Cluster[] };
  [field: string]: unknown;
}

/** An address in Envoy's configuration. */
export interface Address {
  socket_address: { address: string; port_value: number };
}

/** A socket of this machine's own in Envoy's configuration. */
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
  type?: string;
  load_assignment?: {
    endpoints: {
      lb_endpoints: { endpoint: { address: Address | Pipe } }[];
    }[];
  };
  [field: string]: unknown;
}

/** A small change of the configuration, made for an experiment. */
export type ConfigChange = (config: EnvoyConfig) => void;

/** The cluster of the balanced listener. */
export const GRPC_CLUSTER = "grpc-server";
/** The balanced listener. */
export const GRPC_LISTENER = "grpc";
/** The listener that balances connections. */
export const L4_LISTENER = "l4";
/** The listener that leads to Envoy's admin interface. */
export const ADMIN_LISTENER = "admin";

/** Where a stack on this machine has its parts. */
export interface NativeAddresses {
  readonly host: string;
  readonly grpcPort: number;
  readonly l4Port: number;
  readonly adminPort: number;
  /** The port of every server; their addresses come from the name server. */
  readonly serverPort: number;
  /** The name server's port on 127.0.0.1. */
  readonly resolverPort: number;
}

/**
 * Parses a configuration.
 *
 * @param text YAML; envoy.yaml of this project unless given.
 * @param name The file's name, for error messages.
 * @throws {Failure} `environment` when it is no YAML or lacks a part that a
 * stack must change.
 */
export function parseEnvoyConfig(
  text: string = envoyYaml,
  name = "envoy.yaml",
): EnvoyConfig {
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw cannotParse(name, error);
  }
  let config: unknown;
  try {
    config = document.toJS();
  } catch (error) {
    throw cannotParse(name, error); // An alias without its anchor.
  }
  requireParts(config, name);
  return config;
}

/** Anything that a file may have in the place of a field. */
type Unsure = { readonly [field: string]: Unsure } | undefined | null;

function requireParts(
  config: unknown,
  name: string,
): asserts config is EnvoyConfig {
  const { admin, static_resources: statics } = (config ?? {}) as {
    readonly [field: string]: Unsure;
  };
  const listeners = listOf(statics?.["listeners"]);
  const clusters = listOf(statics?.["clusters"]);
  const isPipe = typeof admin?.["address"]?.["pipe"]?.["path"] === "string";
  for (
    const listener of [
      GRPC_LISTENER,
      L4_LISTENER,
      ...(isPipe ? [ADMIN_LISTENER] : []),
    ]
  ) {
    const found = listeners.find((one) => nameOf(one) === listener);
    if (found === undefined) throw lacks(name, `listener named "${listener}"`);
    if (!hasAddress(found)) throw lacks(name, `address of "${listener}"`);
  }
  if (!clusters.some((one) => nameOf(one) === GRPC_CLUSTER)) {
    throw lacks(name, `cluster named "${GRPC_CLUSTER}"`);
  }
  for (const cluster of clusters) {
    const groups = listOf(cluster?.["load_assignment"]?.["endpoints"]);
    const endpoints = groups.flatMap((group) =>
      listOf(group?.["lb_endpoints"])
    );
    if (
      String(cluster?.["type"]) === "STRICT_DNS" && (endpoints.length === 0 ||
        !endpoints.every((one) => hasAddress(one?.["endpoint"])))
    ) {
      throw lacks(name, `endpoint address in cluster "${nameOf(cluster)}"`);
    }
  }
  if (!isPipe && !hasAddress(admin)) throw lacks(name, "admin address");
}

function listOf(value: Unsure): readonly Unsure[] {
  return Array.isArray(value) ? value : [];
}

function nameOf(value: Unsure): string {
  return String(value?.["name"]);
}

function hasAddress(value: Unsure): boolean {
  const address = value?.["address"]?.["socket_address"];
  return typeof address === "object" && address !== null;
}

function cannotParse(name: string, error: unknown): Failure {
  const [summary = ""] = messageOf(error).split("\n");
  return new Failure(
    "environment",
    `Cannot parse ${name}: ${summary.replace(/:$/, "")}; correct it there`,
    { cause: error },
  );
}

function lacks(name: string, what: string): Failure {
  return new Failure(
    "environment",
    `Cannot use ${name}: it has no ${what}; compare it with envoy.yaml in ` +
      "the repository",
  );
}

/** Moves a configuration to this machine's addresses, in place. */
export function moveToNative(
  config: EnvoyConfig,
  at: NativeAddresses,
): EnvoyConfig {
  const ports = new Map([[GRPC_LISTENER, at.grpcPort], [
    L4_LISTENER,
    at.l4Port,
  ]]);
  const { admin } = config;
  if ("pipe" in admin.address) {
    ports.set(ADMIN_LISTENER, at.adminPort);
    renamePipe(config, admin.address.pipe.path, at.adminPort);
  } else {
    // A configuration whose admin interface has a port of its own.
    admin.address = socketAddress(at.host, at.adminPort);
  }
  for (const listener of config.static_resources.listeners) {
    const port = ports.get(listener.name);
    if (port !== undefined) listener.address = socketAddress(at.host, port);
  }
  for (const cluster of config.static_resources.clusters) {
    if (cluster.type !== "STRICT_DNS") continue;
    for (const { address } of endpointsOf(cluster)) {
      if ("pipe" in address) continue;
      address.socket_address.port_value = at.serverPort;
    }
    cluster["typed_dns_resolver_config"] = resolver(at.resolverPort);
  }
  return config;
}

/** Abstract sockets belong to the machine: each stack's has a name of its own. */
function renamePipe(config: EnvoyConfig, path: string, port: number): void {
  const renamed: Pipe = { pipe: { path: `${path}-${port}` } };
  config.admin.address = renamed;
  for (
    const endpoint of config.static_resources.clusters.flatMap(endpointsOf)
  ) {
    const { address } = endpoint;
    if ("pipe" in address && address.pipe.path === path) {
      endpoint.address = renamed;
    }
  }
}

function endpointsOf(cluster: Cluster): { address: Address | Pipe }[] {
  return (cluster.load_assignment?.endpoints ?? []).flatMap((
    { lb_endpoints },
  ) => lb_endpoints.map(({ endpoint }) => endpoint));
}

function socketAddress(address: string, port: number): Address {
  return { socket_address: { address, port_value: port } };
}

/** Asks the stack's own name server and nobody else. */
function resolver(port: number): unknown {
  const type = "envoy.extensions.network.dns_resolver.cares.v3." +
    "CaresDnsResolverConfig";
  return {
    name: "envoy.network.dns_resolver.cares",
    typed_config: {
      "@type": `type.googleapis.com/${type}`,
      resolvers: [
        { socket_address: { address: "127.0.0.1", port_value: port } },
      ],
      dns_resolver_options: { no_default_search_domain: true },
    },
  };
}
