/** Follows calls through a configuration: from a listener to servers. */
import type { Configuration, Service } from "./configuration.ts";
import type { BareRoute } from "./gateway.ts";
import { addressIn, type Cluster, clusterOf } from "./cluster.ts";
import { type Field, type Message, messagesIn, type Place } from "./message.ts";
import { grpcRoutes, isMarkedGrpc } from "./reach.ts";
import type { Manager, Route } from "./route.ts";

/** A tcp_proxy and a cluster that it sends connections to. */
export interface TcpRoute {
  readonly listener: Message;
  readonly message: Message;
  readonly cluster: Cluster;
}

/** A cluster that is not there. */
export interface Missing {
  readonly place: Place;
  readonly cluster: string;
  /** The aggregate that names it; undefined if a route does. */
  readonly aggregate: Cluster | undefined;
}

/** Something that could not be followed. */
export interface Unseen {
  readonly place: Place;
  /** As in "routes come from RDS". */
  readonly what: string;
}

/** What the doctor is told, besides the configuration. */
export interface Circumstances {
  /** Services that servers register; empty if it was not said. */
  readonly services: readonly string[];
  /** Worker threads of an Envoy; undefined if it was not said. */
  readonly concurrency: number | undefined;
  /** How many Envoys share the load. */
  readonly envoys: number;
}

/** What gRPC calls can reach in a configuration. */
export interface Model {
  readonly bootstrap: Message;
  /** Those with a route for gRPC calls. */
  readonly managers: readonly Manager[];
  /** Routes for gRPC calls. */
  readonly routes: readonly Route[];
  /** Clusters that gRPC calls are routed to. */
  readonly clusters: readonly Cluster[];
  /** Clusters that gRPC connections are passed on to. */
  readonly tcpRoutes: readonly TcpRoute[];
  /** Clusters that are named, and not there. */
  readonly missing: readonly Missing[];
  readonly unseen: readonly Unseen[];
  /** Whether Envoy has printed it, without what has its default. */
  readonly isDump: boolean;
  /** Kubernetes Services that stand for one address. */
  readonly virtualServices: readonly Service[];
  /** GRPCRoutes beside it that no policy targets. */
  readonly bareRoutes: readonly BareRoute[];
  /** Values of the runtime, by key. */
  readonly runtime: ReadonlyMap<string, Field>;
  readonly circumstances: Circumstances;
  /** The secret that an SDS configuration asks for; undefined if unknown. */
  readonly secretOf: (config: Message) => Message | undefined;
}

/** Reads a file that a configuration names; undefined if it cannot. */
export type ReadNamed = (path: string) => Configuration | undefined;

/** Follows all calls. */
export function followCalls(
  configuration: Configuration,
  circumstances: Circumstances,
  readNamed: ReadNamed,
): Model {
  const follower = new Follower(configuration, readNamed);
  return follower.model(circumstances);
}

class Follower {
  readonly #bootstrap: Message;
  readonly #resources: readonly Message[];
  readonly #readNamed: ReadNamed;
  readonly #unseen: Unseen[] = [];
  readonly #missing: Missing[] = [];
  readonly #clusters: ReadonlyMap<string, Cluster>;
  readonly #hasOtherClusters: boolean;
  readonly #isDump: boolean;
  readonly #virtualServices: readonly Service[];
  readonly #bareRoutes: readonly BareRoute[];

  constructor(
    { bootstrap, resources, isDump, virtualServices, bareRoutes }:
      Configuration,
    readNamed: ReadNamed,
  ) {
    this.#isDump = isDump;
    this.#virtualServices = virtualServices;
    this.#bareRoutes = bareRoutes;
    this.#bootstrap = bootstrap;
    this.#readNamed = readNamed;
    const dynamic = bootstrap.message("dynamic_resources");
    this.#resources = [
      ...resources,
      ...this.#discovered(dynamic, "lds_config", "Listener"),
      ...this.#discovered(dynamic, "cds_config", "Cluster"),
    ];
    this.#hasOtherClusters = dynamic?.has("cds_config") === true &&
      this.#ofType("Cluster").length === 0;
    const clusters = [
      ...bootstrap.messages("static_resources.clusters"),
      ...this.#ofType("Cluster"),
    ];
    this.#clusters = new Map(
      clusters.map((message) => this.#cluster(message))
        .map((cluster) => [cluster.name, cluster]),
    );
  }

  model(circumstances: Circumstances): Model {
    for (
      const layer of this.#bootstrap.messages("layered_runtime.layers")
    ) {
      for (const by of ["disk_layer", "rtds_layer"]) {
        if (!layer.has(by)) continue;
        this.#lose(layer.where(by), `a part of the runtime is in a ${by}`);
      }
    }
    const managers: Manager[] = [];
    const tcpRoutes: TcpRoute[] = [];
    const all: Route[] = [];
    for (const listener of this.#listeners()) {
      for (const chain of chainsOf(listener)) {
        for (const filter of chain.messages("filters")) {
          const config = filter.message("typed_config");
          if (config?.is("HttpConnectionManager")) {
            const manager = this.#manager(listener, chain, config);
            managers.push(manager);
            all.push(...this.#routes(manager));
          } else if (config?.is("TcpProxy")) {
            tcpRoutes.push(...this.#tcpRoutes(listener, config));
          } else if (config === undefined || config.isOpaque) {
            this.#lose(filter.place, "a filter that cannot be read");
          }
        }
      }
    }
    const routes = grpcRoutes(all, this.#adminAddress());
    const clusters = unique(routes.flatMap((route) => route.clusters));
    const grpcTcpRoutes = tcpRoutes.filter(({ cluster }) =>
      isMarkedGrpc(cluster)
    );
    const reached = unique(
      [...clusters, ...grpcTcpRoutes.map(({ cluster }) => cluster)],
    );
    for (const cluster of reached) this.#loseServers(cluster);
    return {
      bootstrap: this.#bootstrap,
      managers: managers.filter((manager) =>
        routes.some((route) => route.manager === manager)
      ),
      routes,
      clusters,
      tcpRoutes: grpcTcpRoutes,
      missing: this.#missing,
      unseen: this.#unseen,
      isDump: this.#isDump,
      virtualServices: this.#virtualServices,
      bareRoutes: this.#bareRoutes,
      runtime: runtimeOf(this.#bootstrap),
      circumstances,
      secretOf: (config) => this.#secretOf(config),
    };
  }

  #secretOf(config: Message): Message | undefined {
    return [
      ...this.#bootstrap.messages("static_resources.secrets"),
      ...this.#ofType("Secret"),
      ...this.#discovered(config, "sds_config", "Secret"),
    ].find((one) => one.text("name") === config.text("name"));
  }

  /** A cluster whose servers are found in a way that is not followed. */
  #loseServers({ name, message, discovery }: Cluster): void {
    if (discovery !== "other") return;
    const by = message.has("cluster_type") ? "cluster_type" : "type";
    const how = message.text(by) ?? message.text("cluster_type.name") ??
      "an extension";
    this.#lose(
      message.where(by),
      `the servers of "${name}", which ${how} finds`,
    );
  }

  /** Several routes may lead to it. */
  #lose(place: Place, what: string): void {
    const isKnown = this.#unseen.some((one) =>
      one.what === what && isSame(one.place, place)
    );
    if (!isKnown) this.#unseen.push({ place, what });
  }

  #ofType(type: string): readonly Message[] {
    return this.#resources.filter((message) => message.is(type));
  }

  /** Resources from a file that a config source names; else they are unseen. */
  #discovered(
    from: Message | undefined,
    path: string,
    type: string,
  ): readonly Message[] {
    const config = from?.message(path);
    if (config === undefined || from === undefined) return [];
    const file = config.text("path_config_source.path") ?? config.text("path");
    const read = file === undefined ? undefined : this.#readNamed(file);
    const [problem] = read?.problems ?? [];
    if (problem !== undefined) {
      this.#lose(problem.place, `Envoy refuses this file: ${problem.what}`);
    }
    return read?.resources.filter((message) => message.is(type)) ?? [];
  }

  #listeners(): readonly Message[] {
    const dynamic = this.#bootstrap.message("dynamic_resources");
    const ofLds = this.#ofType("Listener");
    if (dynamic?.has("lds_config") && ofLds.length === 0) {
      this.#lose(dynamic.where("lds_config"), "listeners come from LDS");
    }
    return [
      ...this.#bootstrap.messages("static_resources.listeners"),
      ...ofLds,
    ];
  }

  #cluster(message: Message): Cluster {
    const eds = message.message("eds_cluster_config");
    const service = eds?.text("service_name") ?? message.text("name");
    const assignment = eds === undefined ? undefined : [
      ...this.#ofType("ClusterLoadAssignment"),
      ...this.#discovered(eds, "eds_config", "ClusterLoadAssignment"),
    ].find((one) => one.text("cluster_name") === service);
    if (eds !== undefined && assignment === undefined) {
      this.#lose(eds.place, `the servers of "${service}" come from EDS`);
    }
    return clusterOf(message, assignment);
  }

  #manager(listener: Message, chain: Message, message: Message): Manager {
    const filters = message.messages("http_filters").flatMap((filter) => {
      if (filter.flag("disabled") === true) return [];
      const config = filter.message("typed_config");
      if (config?.isOpaque) {
        this.#lose(config.place, "an HTTP filter that is not Envoy's own");
      }
      if (filter.has("config_discovery")) {
        this.#lose(
          filter.where("config_discovery"),
          "an HTTP filter comes from discovery",
        );
      }
      return config === undefined ? [] : [config];
    });
    return { listener, chain, message, filters };
  }

  #routes(manager: Manager): readonly Route[] {
    const { message } = manager;
    if (message.has("scoped_routes")) {
      this.#lose(message.where("scoped_routes"), "routes come from SRDS");
    }
    return [message.message("route_config"), ...this.#rds(message)]
      .filter((config) => config !== undefined)
      .flatMap((config) => this.#ofConfig(manager, config));
  }

  #rds(manager: Message): readonly Message[] {
    const rds = manager.message("rds");
    if (rds === undefined) return [];
    const name = rds.text("route_config_name");
    const found = [
      ...this.#ofType("RouteConfiguration"),
      ...this.#discovered(rds, "config_source", "RouteConfiguration"),
    ].find((one) => (one.text("name") ?? "") === (name ?? ""));
    if (found !== undefined) return [found];
    this.#lose(manager.where("rds"), `the routes "${name}" come from RDS`);
    return [];
  }

  #ofConfig(manager: Manager, config: Message): readonly Route[] {
    if (config.has("vhds")) {
      this.#lose(config.where("vhds"), "virtual hosts come from VHDS");
    }
    return config.messages("virtual_hosts").flatMap((virtualHost) => {
      const matcher = virtualHost.message("matcher");
      const inTree = matcher === undefined ? [] : messagesIn(matcher)
        .filter((one) => one.is("Route") || one.isOpaque);
      for (const one of inTree.filter(({ isOpaque }) => isOpaque)) {
        this.#lose(one.place, "a part of the matcher that cannot be read");
      }
      return [...virtualHost.messages("routes"), ...inTree]
        .filter((one) => one.has("route"))
        .map((one) => this.#route(manager, virtualHost, one));
    });
  }

  #route(manager: Manager, virtualHost: Message, message: Message): Route {
    const match = message.message("match");
    const path = match?.text("path") ?? match?.text("prefix") ??
      match?.text("path_separated_prefix");
    const action = message.message("route") ?? message;
    const regex = match?.text("safe_regex.regex") ?? "";
    return {
      manager,
      virtualHost,
      message,
      action,
      name: message.text("name") ?? path ?? regex,
      path: path ?? literalStart(regex),
      clusters: this.#targets(action),
    };
  }

  /** The clusters of a route or a tcp_proxy. */
  #targets(action: Message): readonly Cluster[] {
    for (const by of ["cluster_header", "cluster_specifier_plugin"]) {
      if (action.has(by)) {
        this.#lose(action.where(by), `a route whose ${by} decides the cluster`);
      }
    }
    const inline = action.message("inline_cluster_specifier_plugin");
    if (inline !== undefined) {
      this.#lose(inline.place, "a route whose plugin decides the cluster");
    }
    const named = [
      [action.text("cluster"), action.where("cluster")] as const,
      ...action.messages("weighted_clusters.clusters").map((one) =>
        [one.text("name"), one.where("name")] as const
      ),
    ];
    return named.flatMap(([name, place]) => this.#named(name, place));
  }

  /** The cluster of a name, or those of an aggregate, as far as they are here. */
  #named(
    name: string | undefined,
    place: Place,
    aggregate?: Cluster,
    seen = new Set<string>(),
  ): readonly Cluster[] {
    if (name === undefined || name === "") return [];
    const cluster = this.#clusters.get(name);
    if (cluster !== undefined) return this.#leaves(cluster, seen);
    if (this.#hasOtherClusters) {
      this.#lose(place, `the cluster "${name}" comes from CDS`);
    } else if (!this.#missing.some((one) => isSame(one.place, place))) {
      this.#missing.push({ place, cluster: name, aggregate });
    }
    return [];
  }

  /** The clusters of an aggregate, or the cluster itself. */
  #leaves(cluster: Cluster, seen: Set<string>): readonly Cluster[] {
    const names = cluster.message.message("cluster_type.typed_config");
    if (!names?.type.includes(".clusters.aggregate.")) return [cluster];
    if (seen.has(cluster.name)) return [];
    seen.add(cluster.name);
    return names.list("clusters").flatMap(({ value, place }) =>
      this.#named(String(value), place, cluster, seen)
    );
  }

  #tcpRoutes(listener: Message, message: Message): readonly TcpRoute[] {
    return this.#targets(message).map((cluster) => ({
      listener,
      message,
      cluster,
    }));
  }

  #adminAddress(): string | undefined {
    return addressIn(this.#bootstrap.message("admin.address"));
  }
}

function chainsOf(listener: Message): readonly Message[] {
  const fallback = listener.message("default_filter_chain");
  return [
    ...listener.messages("filter_chains"),
    ...(fallback === undefined ? [] : [fallback]),
  ];
}

/** "/a.B/" of "/a\\.B/.*"; undefined if an expression begins otherwise. */
function literalStart(regex: string): string | undefined {
  return /^(?:\/[\w.\\]+){1,2}\/?(?=[.([])/.exec(regex)?.[0]
    .replaceAll("\\", "").replace(/\.$/, "");
}

function isSame(one: Place, other: Place): boolean {
  return one.path === other.path && one.source === other.source;
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}

/** The values of all layers; later layers win. */
function runtimeOf(bootstrap: Message): ReadonlyMap<string, Field> {
  const layers = bootstrap.messages("layered_runtime.layers");
  const values = new Map<string, Field>();
  const add = (prefix: string, fields: ReadonlyMap<string, Field>) => {
    for (const [key, field] of fields) {
      const name = prefix === "" ? key : `${prefix}.${key}`;
      if (field.value instanceof Map) add(name, field.value);
      else values.set(name, field);
    }
  };
  for (const layer of layers) add("", layer.map("static_layer"));
  return values;
}

/** Whether a runtime flag is on; undefined if it is not set. */
export function runtimeFlag(
  { runtime }: Pick<Model, "runtime">,
  key: string,
): boolean | undefined {
  const value = runtime.get(key)?.value;
  return value === undefined ? undefined : /^true$/i.test(String(value));
}

/** A number of the runtime, which overrides what the configuration says. */
export function runtimeNumber(
  { runtime }: Pick<Model, "runtime">,
  key: string,
): number | undefined {
  const value = runtime.get(key)?.value;
  return value === undefined ? undefined : Number(value);
}
