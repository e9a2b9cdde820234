/**
 * Makes a configuration of a local run out of any Envoy configuration: what a
 * gRPC call takes is kept, by the names that envoy.yaml has for it, and what
 * this machine does not have is replaced or left out, and noted.
 */
import { Failure } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { at, type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import { addressIn, type Cluster } from "../doctor/cluster.ts";
import type { Configuration } from "../doctor/configuration.ts";
import type { Message } from "../doctor/message.ts";
import { followCalls, type Model, type ReadNamed } from "../doctor/model.ts";
import { ofListener } from "../doctor/rule.ts";
import {
  ADMIN_LISTENER,
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
  L4_LISTENER,
  type Listener,
  parseEnvoyConfig,
} from "../stack/envoy_config.ts";
import { Notes } from "./_notes.ts";
import { type Call, callIn, OUR_SERVICE } from "./call.ts";
import { dropSettings, keptFilters } from "./filters.ts";
import { plainMessage } from "./plain.ts";
import { localCluster, obstacleIn } from "./upstream.ts";

/** A configuration for a local run. */
export interface Adapted {
  readonly config: EnvoyConfig;
  /** What was replaced or left out; one sentence each. */
  readonly replaced: readonly string[];
}

/** What a listener keeps. */
const OF_LISTENER = [
  "per_connection_buffer_limit_bytes",
  "drain_type",
  "listener_filters",
  "listener_filters_timeout",
  "continue_on_listener_filters_timeout",
  "traffic_direction",
  "connection_balance_config",
  "enable_reuse_port",
  "tcp_backlog_size",
  "max_connections_to_accept_per_socket_event",
  "ignore_global_conn_limit",
  "bypass_overload_manager",
  "tcp_keepalive",
];

/** Listener filters that read no more than a connection's first bytes. */
const LISTENER_FILTERS = /\.(http_inspector|tls_inspector|local_ratelimit)\./;

/** What a bootstrap keeps, besides listeners and clusters. */
const OF_BOOTSTRAP = ["node", "layered_runtime", "overload_manager"];

/** What of a connection manager leads elsewhere. */
const NOT_OF_MANAGER = [
  "tracing",
  "access_log_options",
  "http3_protocol_options",
  "set_current_client_cert_details",
  "forward_client_cert_details",
];

/** What of a route leads elsewhere, or renames what is called. */
const NOT_OF_ACTION = [
  "prefix_rewrite",
  "regex_rewrite",
  "path_rewrite",
  "path_rewrite_policy",
  "metadata_match",
  "request_mirror_policies",
];

/** Names that a local run gives to clusters of its own. */
const TAKEN = [GRPC_CLUSTER, `${GRPC_CLUSTER}-l4`, ADMIN_LISTENER];

/** What is missing is listed, but not without end. */
const MISSING_MAX = 5;

/**
 * Adapts a configuration.
 *
 * @param options `readNamed` reads files that it names; `service` is the one
 * that ours stands for (default: the first that a route names).
 * @throws {Failure} `environment`, with all that is missing.
 */
export function adapt(
  configuration: Configuration,
  options: { readonly readNamed: ReadNamed; readonly service?: string },
): Adapted {
  const { name, problems } = configuration;
  const model = followCalls(
    configuration,
    { services: [], concurrency: undefined, envoys: 1 },
    options.readNamed,
  );
  const call = callIn(model, options.service);
  const missing = [
    ...problems.map(({ place, what }) =>
      `line ${
        place.source.positionOf(place.offset).line
      }: ${place.path}: ${what}`
    ),
    ...doubled(model.bootstrap, "listeners"),
    ...doubled(model.bootstrap, "clusters"),
    ...(call === undefined ? missingIn(model, options.service) : []),
    ...(call === undefined ? [] : obstaclesOf(call, model)),
  ];
  if (call === undefined || missing.length > 0) {
    throw new Failure(
      "environment",
      `Cannot run a stack with ${name}: ` +
        printable(missing.slice(0, MISSING_MAX).join("; "), 1000) +
        "; name a file with all that a call needs",
    );
  }
  const notes = new Notes();
  const config = localConfig(model, call, notes);
  return { config, replaced: [...configuration.notes, ...notes.lines] };
}

/** Names that are there more than once, which Envoy refuses. */
function doubled(bootstrap: Message, what: string): readonly string[] {
  const names = bootstrap.messages(`static_resources.${what}`)
    .map((one) => one.text("name") ?? "").filter((name) => name !== "");
  return [...Map.groupBy(names, (name) => name)]
    .filter(([, found]) => found.length > 1)
    .map(([name, { length }]) => `it has ${length} ${what} named "${name}"`);
}

/** Why no call can be followed to servers. */
function missingIn(model: Model, service?: string): readonly string[] {
  const asked = service === undefined ? "gRPC calls" : `calls of "${service}"`;
  return [
    `it has no route for ${asked} to a cluster`,
    ...model.missing.map(({ cluster }) => `it has no cluster "${cluster}"`),
    ...model.unseen.map(({ what }) => what),
  ];
}

function obstaclesOf(call: Call, model: Model): readonly string[] {
  const { manager } = call.route;
  const protocol = manager.listener.text("address.socket_address.protocol");
  const isQuic = protocol === "UDP" ||
    manager.message.text("codec_type") === "HTTP3";
  return [
    ...(isQuic ? [`${ofListener(manager.listener)} speaks HTTP/3`] : []),
    ...clustersOf(call, model).map(obstacleIn)
      .filter((one) => one !== undefined),
  ];
}

/** The clusters of a call's routes, that of unary calls first. */
function clustersOf(call: Call, model: Model): readonly Cluster[] {
  const { route: { clusters, action } } = call;
  const [heaviest] = targetsOf(plainMessage(action));
  const own = clusters.find(({ name }) => name === heaviest) ?? clusters[0];
  const names = new Set(
    call.routes.map(({ route }) => targetsOf(route)[0] ?? ""),
  );
  const others = model.clusters.filter((one) =>
    one !== own && names.has(one.name)
  );
  return own === undefined ? others : [own, ...others];
}

/** The clusters that a route names, the heaviest first. */
function targetsOf(action: unknown): readonly string[] {
  const { cluster } = fieldsOf(action);
  if (typeof cluster === "string") return [cluster];
  return listOf(at(action, "weighted_clusters", "clusters"))
    .toSorted((a, b) => Number(b["weight"] ?? 0) - Number(a["weight"] ?? 0))
    .map(({ name }) => String(name));
}

function localConfig(model: Model, call: Call, notes: Notes): EnvoyConfig {
  const ours = parseEnvoyConfig();
  const { listener } = call.route.manager;
  const found = clustersOf(call, model);
  const names = new Map(found.map((cluster, index) => [
    cluster.name,
    index === 0
      ? GRPC_CLUSTER
      : TAKEN.includes(cluster.name)
      ? `${cluster.name}-of-file`
      : cluster.name,
  ]));
  const services = new Set(
    model.routes.flatMap(({ path }) =>
      /^\/([\w.]+)(?:\/|$)/.exec(path ?? "")?.[1] ?? []
    ),
  );
  const own = plainMessage(model.bootstrap);
  const left = Object.keys(own).filter((field) =>
    !OF_BOOTSTRAP.includes(field) && field !== "static_resources"
  );
  if (left.length > 0) notes.add("the file", `without its ${left.join(", ")}`);
  const kept = Object.fromEntries(
    OF_BOOTSTRAP.filter((name) => Object.hasOwn(own, name))
      .map((name) => [name, own[name]]),
  );
  keepStaticLayers(kept, listener.text("name") ?? "", notes);
  const isOf = (names: readonly string[]) => (one: { name: string }) =>
    names.includes(one.name);
  return {
    ...kept,
    admin: ours.admin,
    static_resources: {
      listeners: [
        localListener(call, names, notes),
        ...ours.static_resources.listeners
          .filter(isOf([L4_LISTENER, ADMIN_LISTENER])),
      ],
      clusters: [
        ...found.map((cluster) =>
          localCluster(
            cluster,
            names.get(cluster.name) ?? cluster.name,
            services,
            notes,
          )
        ),
        ...ours.static_resources.clusters
          .filter(isOf([`${GRPC_CLUSTER}-l4`, ADMIN_LISTENER])),
      ],
    },
  } as EnvoyConfig;
}

/** Layers of files and of a control plane are elsewhere. */
function keepStaticLayers(kept: Fields, listener: string, notes: Notes): void {
  const runtime = fieldsOf(kept["layered_runtime"]);
  const layers = listOf(runtime["layers"]);
  const own = layers.filter((layer) => Object.hasOwn(layer, "static_layer"));
  if (own.length < layers.length) {
    notes.add("layered_runtime", "without the layers that are not static");
  }
  runtime["layers"] = own;
  const limit = (name: string) =>
    `envoy.resource_limits.listener.${name}.connection_limit`;
  for (const layer of own.map((one) => fieldsOf(one["static_layer"]))) {
    const value = layer[limit(listener)];
    if (value === undefined) continue;
    delete layer[limit(listener)];
    layer[limit(GRPC_LISTENER)] = value;
  }
  if (own.length === 0) delete kept["layered_runtime"];
}

function localListener(
  call: Call,
  names: ReadonlyMap<string, string>,
  notes: Notes,
): Fields {
  const { listener, chain } = call.route.manager;
  const of = ofListener(listener);
  const own = plainMessage(listener);
  const filters = listOf(own["listener_filters"]);
  const kept = filters.filter((filter) =>
    LISTENER_FILTERS.test(String(at(filter, "typed_config", "@type")))
  );
  filters.filter((one) => !kept.includes(one)).forEach(({ name }) =>
    notes.add(of, `without the listener filter ${name}`)
  );
  if (filters.length > 0) own["listener_filters"] = kept;
  notes.add(
    of,
    `is called "${GRPC_LISTENER}", in place of its address ` +
      addressIn(listener.message("address")),
  );
  if (chain.has("transport_socket")) {
    notes.add(of, "without its TLS: calls come in plain text");
  }
  const chains = listOf(own["filter_chains"]).length +
    (own["default_filter_chain"] === undefined ? 0 : 1);
  if (chains > 1) {
    notes.add(
      of,
      `only the one of its ${chains} filter chains that calls take`,
    );
  }
  const others = chain.messages("filters").length - 1;
  if (others > 0) {
    notes.add(of, "without the network filters before its connection manager");
  }
  const known = [
    ...OF_LISTENER,
    ...["name", "address", "filter_chains", "default_filter_chain"],
    ...["metadata", "stat_prefix"],
  ];
  notes.leaveOut(
    own,
    Object.keys(own).filter((field) => !known.includes(field)),
    of,
  );
  return {
    name: GRPC_LISTENER,
    address: ourListener().address,
    filter_chains: [{
      filters: [{
        name: "envoy.filters.network.http_connection_manager",
        typed_config: localManager(call, names, of, notes),
      }],
    }],
    ...Object.fromEntries(
      OF_LISTENER.filter((name) => Object.hasOwn(own, name))
        .map((name) => [name, own[name]]),
    ),
  };
}

/** The listener of envoy.yaml that the adapted one takes the place of. */
function ourListener(): Listener {
  const { static_resources: { listeners } } = parseEnvoyConfig();
  return listeners.find(({ name }) => name === GRPC_LISTENER) as Listener;
}

function localManager(
  call: Call,
  names: ReadonlyMap<string, string>,
  of: string,
  notes: Notes,
): Fields {
  const { message } = call.route.manager;
  const fields = plainMessage(message);
  notes.leaveOut(fields, NOT_OF_MANAGER, of);
  notes.add(of, "writes its access log as envoy.yaml does");
  const filters = keptFilters(fields["http_filters"], of, notes);
  const kept = new Set(filters.map(({ name }) => String(name)));
  delete fields["rds"];
  delete fields["scoped_routes"];
  return {
    "@type": `type.googleapis.com/${message.type}`,
    ...fields,
    stat_prefix: GRPC_LISTENER,
    access_log: at(
      ourListener(),
      ...["filter_chains", 0, "filters", 0, "typed_config", "access_log"],
    ),
    http_filters: filters,
    route_config: localRoutes(call, names, kept, notes),
  };
}

function localRoutes(
  call: Call,
  names: ReadonlyMap<string, string>,
  kept: ReadonlySet<string>,
  notes: Notes,
): Fields {
  const { route, service, replacedMatch, others } = call;
  const of = `route "${route.name}"`;
  if (replacedMatch !== undefined) {
    notes.add(of, `takes all of ${OUR_SERVICE} in place of ${replacedMatch}`);
  } else if (service !== undefined && service !== OUR_SERVICE) {
    notes.add(of, `calls of ${OUR_SERVICE} stand for those of ${service}`);
  }
  const whole = plainMessage(route.virtualHost);
  if (others.length > 0) {
    notes.add(
      `virtual host "${whole["name"]}"`,
      `without the routes that these calls do not take: ${others.join(", ")}`,
    );
  }
  const domains = whole["domains"] as readonly unknown[] | undefined;
  if (domains?.includes("*") !== true) {
    notes.add(
      `virtual host "${whole["name"]}"`,
      `answers to every name, not only to ${domains?.join(", ")}`,
    );
  }
  const host: Fields = { ...whole, name: GRPC_LISTENER, domains: ["*"] };
  delete host["matcher"];
  delete host["require_tls"];
  delete host["request_mirror_policies"];
  dropSettings(host, kept);
  host["routes"] = call.routes.map((one) =>
    localRoute(one, names, kept, notes)
  );
  return { name: GRPC_LISTENER, virtual_hosts: [host] };
}

function localRoute(
  route: Fields,
  names: ReadonlyMap<string, string>,
  kept: ReadonlySet<string>,
  notes: Notes,
): Fields {
  dropSettings(route, kept);
  if (!Object.hasOwn(route, "route")) return route;
  const action = fieldsOf(route["route"]);
  const of = `route "${route["name"] ?? ""}"`;
  notes.leaveOut(action, NOT_OF_ACTION, of);
  const [target = "", ...lighter] = targetsOf(action);
  if (lighter.length > 0) {
    notes.add(of, `only the heaviest of its clusters, "${target}"`);
  }
  delete action["weighted_clusters"];
  // An aggregate is not a cluster of servers itself.
  if (!names.has(target)) {
    notes.add(of, `the first cluster of unary calls in place of "${target}"`);
  }
  action["cluster"] = names.get(target) ?? GRPC_CLUSTER;
  return route;
}
