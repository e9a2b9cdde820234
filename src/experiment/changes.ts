/** Named changes of envoy.yaml, for set-ups and controls. */
import {
  type Cluster,
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
} from "../stack/envoy_config.ts";
import type { NamedChange } from "./experiment.ts";

/** Fields of a configuration, looked up by name. */
export type Fields = Record<string, unknown>;

/**
 * The part of a configuration at a path.
 *
 * @throws {TypeError} When there is none.
 */
export function partAt(from: unknown, ...path: (string | number)[]): Fields {
  let part = from;
  for (const step of path) part = (part as Fields | undefined)?.[step];
  if (typeof part !== "object" || part === null) {
    throw new TypeError(`Configuration has no ${path.join(".")}`);
  }
  return part as Fields;
}

/** The cluster of the balanced listener. */
export function grpcCluster(config: EnvoyConfig): Cluster {
  const found = config.static_resources.clusters
    .find(({ name }) => name === GRPC_CLUSTER);
  if (found === undefined) throw new TypeError(`No cluster "${GRPC_CLUSTER}"`);
  return found;
}

/** The HTTP connection manager of the balanced listener. */
export function connectionManager(config: EnvoyConfig): Fields {
  const listener = config.static_resources.listeners
    .find(({ name }) => name === GRPC_LISTENER);
  return partAt(listener, "filter_chains", 0, "filters", 0, "typed_config");
}

/**
 * A route of the balanced listener: its `route` part.
 *
 * @param name As envoy.yaml names it, for example "unary".
 */
export function routeAction(config: EnvoyConfig, name: string): Fields {
  return partAt(routeOf(config, name), "route");
}

/**
 * Replaces the `route` part of one route; routes may share it, so what is
 * changed in place is changed for all of them.
 */
export function setRouteAction(
  config: EnvoyConfig,
  name: string,
  action: Fields,
): void {
  routeOf(config, name)["route"] = action;
}

function routeOf(config: EnvoyConfig, name: string): Fields {
  const path = ["route_config", "virtual_hosts", 0, "routes"] as const;
  const routes = Object.values(partAt(connectionManager(config), ...path));
  return partAt(routes.find((route) => partAt(route)["name"] === name));
}

/** Unary calls are tried once. */
export const noRetries: NamedChange = {
  name: "no retries",
  apply: (config) => {
    delete routeAction(config, "unary")["retry_policy"];
  },
};

/** Unary calls are tried so many times after the first. */
export function retries(count: number): NamedChange {
  return {
    name: `${count} retries`,
    apply: (config) => {
      const action = routeAction(config, "unary");
      const policy = partAt(action, "retry_policy");
      action["retry_policy"] = { ...policy, num_retries: count };
    },
  };
}

/** Servers that fail calls are not ejected. */
export const noOutlierDetection: NamedChange = {
  name: "no outlier detection",
  apply: (config) => {
    delete grpcCluster(config)["outlier_detection"];
  },
};

/**
 * With fewer healthy servers than this, Envoy calls the unhealthy too.
 *
 * @param percent Envoy's own default is 50.
 */
export function panicThreshold(percent: number): NamedChange {
  return {
    name: `panic threshold of ${percent} %`,
    apply: (config) => {
      const cluster = grpcCluster(config);
      // The two clusters share this object: a copy is changed.
      cluster["common_lb_config"] = {
        ...partAt(cluster, "common_lb_config"),
        healthy_panic_threshold: { value: percent },
      };
    },
  };
}

/** Takes away every listener's own limit of connections. */
export function dropListenerLimits(config: EnvoyConfig): void {
  const layer = partAt(config, "layered_runtime", "layers", 0);
  layer["static_layer"] = Object.fromEntries(
    Object.entries(partAt(layer, "static_layer"))
      .filter(([key]) => !key.endsWith(".connection_limit")),
  );
}

/** Fields of the balanced cluster, replaced as they are. */
export function clusterFields(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      Object.assign(grpcCluster(config), structuredClone(fields));
    },
  };
}

/** Fields of the first health check of the balanced cluster, replaced. */
export function healthCheckFields(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      const cluster = grpcCluster(config);
      const check = partAt(cluster, "health_checks", 0);
      cluster["health_checks"] = [{ ...check, ...structuredClone(fields) }];
    },
  };
}

/** Fields of the balanced cluster's outlier detection, replaced. */
export function outlierFields(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      const cluster = grpcCluster(config);
      const detection = partAt(cluster, "outlier_detection");
      cluster["outlier_detection"] = { ...detection, ...fields };
    },
  };
}
