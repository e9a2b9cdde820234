/**
 * Makes a configuration of a local run out of any Envoy configuration: what a
 * gRPC call takes is kept, by the names that envoy.yaml has for it, and what
 * this machine does not have is replaced or left out, and noted.
 */
import { Failure } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import type { Cluster } from "../doctor/cluster.ts";
import type { Configuration } from "../doctor/configuration.ts";
import type { Message } from "../doctor/message.ts";
import { followCalls, type Model, type ReadNamed } from "../doctor/model.ts";
import { ofListener, quoted } from "../doctor/rule.ts";
import {
  ADMIN_LISTENER,
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
  parseEnvoyConfig,
} from "../stack/envoy_config.ts";
import { Notes } from "./_notes.ts";
import {
  type Call,
  callIn,
  serviceOf,
  targetsOf,
  unaryCluster,
} from "./call.ts";
import { localListener } from "./listener.ts";
import { jsonOf } from "./json.ts";
import { localCluster, obstacleIn } from "./upstream.ts";

/** A configuration for a local run. */
export interface Adapted {
  readonly config: EnvoyConfig;
  /** What was replaced or left out; one sentence each. */
  readonly replaced: readonly string[];
}

/** What a bootstrap keeps, besides listeners and clusters. */
const OF_BOOTSTRAP = ["node", "layered_runtime", "overload_manager"];

/** Names that a local run gives to clusters of its own. */
const TAKEN = [GRPC_CLUSTER, `${GRPC_CLUSTER}-l4`, ADMIN_LISTENER];

/** What is missing is listed, but not without end. */
const MISSING_MAX = 20;

/** A name among what is missing leaves room for the rest. */
const MISSING_UNITS_MAX = 300;

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
    ...(call === undefined
      ? missingIn(model, options.service)
      : obstaclesOf(call, model)),
    ...doubled(model.bootstrap, "listeners"),
    ...doubled(model.bootstrap, "clusters"),
    ...problems.map(({ place, what }) =>
      `line ${
        place.source.positionOf(place.offset).line
      }: ${place.path}: ${what}`
    ),
  ];
  if (call === undefined || missing.length > 0) {
    throw new Failure(
      "environment",
      `Cannot run a stack with ${name}: ` +
        listed(missing) + "; name a file with all that a call needs",
    );
  }
  const notes = new Notes();
  const config = localConfig(model, call, notes);
  return { config, replaced: [...configuration.notes, ...notes.lines] };
}

/** All that is missing, as one part of a sentence. */
function listed(missing: readonly string[]): string {
  const shown = missing.slice(0, MISSING_MAX)
    .map((one) => printable(one, MISSING_UNITS_MAX)).join("; ");
  const more = missing.length - MISSING_MAX;
  return more > 0 ? `${shown}; and ${more} more` : shown;
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
  const own = unaryCluster(call);
  const names = new Set(
    call.routes.map(({ route }) => targetsOf(route)[0] ?? ""),
  );
  const others = model.clusters.filter((one) =>
    one !== own && names.has(one.name)
  );
  return own === undefined ? others : [own, ...others];
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
  noteUnused(model, listener, found, notes);
  const own = jsonOf(model.bootstrap);
  const left = Object.keys(own).filter((field) =>
    !OF_BOOTSTRAP.includes(field) && field !== "static_resources"
  );
  if (left.length > 0) notes.add("the file", `without its ${left.join(", ")}`);
  const kept = Object.fromEntries(
    OF_BOOTSTRAP.filter((name) => Object.hasOwn(own, name))
      .map((name) => [name, own[name]]),
  );
  keepStaticLayers(kept, listener.text("name") ?? "", notes);
  const { listeners, clusters } = ours.static_resources;
  return {
    ...kept,
    admin: ours.admin,
    static_resources: {
      listeners: [
        ...listeners.map((one) =>
          one.name === GRPC_LISTENER
            ? localListener(one, call, names, notes)
            : one
        ),
      ],
      clusters: [
        ...found.map((cluster) =>
          localCluster(
            cluster,
            names.get(cluster.name) ?? cluster.name,
            servicesOf(cluster, model),
            notes,
          )
        ),
        ...clusters.filter(({ name }) => name !== GRPC_CLUSTER),
      ],
    },
  } as EnvoyConfig;
}

/** The services whose calls a cluster gets; empty if they are not known. */
function servicesOf(
  cluster: Cluster,
  { routes }: Model,
): ReadonlySet<string | undefined> {
  const found = new Set(
    routes.filter(({ clusters }) => clusters.includes(cluster)).map(serviceOf),
  );
  return found.has(undefined) ? new Set() : found;
}

/** What no call of ours takes. */
function noteUnused(
  { bootstrap }: Model,
  listener: Message,
  clusters: readonly Cluster[],
  notes: Notes,
): void {
  const used = [listener, ...clusters.map(({ message }) => message)];
  for (const what of ["listeners", "clusters", "secrets"]) {
    const names = bootstrap.messages(`static_resources.${what}`)
      .filter((one) => !used.includes(one))
      .map((one) => quoted(one.text("name") ?? ""));
    if (names.length > 0) {
      notes.add("the file", `without its ${what} ${names.join(", ")}`);
    }
  }
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
