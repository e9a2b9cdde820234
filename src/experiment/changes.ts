/** Named changes of envoy.yaml, for set-ups and controls. */
import { Failure, messageOf } from "../core/errors.ts";
import { at, type Fields, fieldsOf, listOf, partAt } from "../core/yaml.ts";
import {
  type Cluster,
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
  parseEnvoyConfig,
} from "../stack/envoy_config.ts";
import type { NamedChange } from "./experiment.ts";

/**
 * Applies changes to a configuration, one after another.
 *
 * @param base Stays as it is (default envoy.yaml).
 * @param file Its name, for error messages.
 * @throws {Failure} `environment` when a change does not fit the file.
 */
export function changedConfig(
  changes: readonly NamedChange[],
  base: EnvoyConfig = parseEnvoyConfig(),
  file = "envoy.yaml",
): EnvoyConfig {
  const config = structuredClone(base);
  for (const { name, apply } of changes) {
    const before = JSON.stringify(config);
    let problem = "it changes nothing";
    try {
      apply(config);
      if (JSON.stringify(config) !== before) continue;
    } catch (error) {
      problem = messageOf(error);
    }
    throw new Failure(
      "environment",
      `Cannot apply the change "${name}" to ${file}: ${problem}; fix the ` +
        "change or the file",
    );
  }
  return config;
}

/** Whether a change makes a difference to a configuration, which stays as it is. */
export function changesAnything(
  { apply }: NamedChange,
  base: EnvoyConfig,
): boolean {
  const config = structuredClone(base);
  try {
    apply(config);
  } catch {
    return false; // There is nothing that it could change.
  }
  return JSON.stringify(config) !== JSON.stringify(base);
}

/** The cluster of the balanced listener. */
export function grpcCluster(config: EnvoyConfig): Cluster {
  return partAt(
    config,
    ...["static_resources", "clusters", GRPC_CLUSTER],
  ) as Cluster;
}

/** The HTTP connection manager of the balanced listener. */
export function connectionManager(config: EnvoyConfig): Fields {
  return partAt(
    config,
    ...["static_resources", "listeners", GRPC_LISTENER],
    ...["filter_chains", 0, "filters", 0, "typed_config"],
  );
}

/** The HTTP/2 options of the balanced cluster's connections. */
export function upstreamHttp2(config: EnvoyConfig): Fields {
  return partAt(
    grpcCluster(config),
    "typed_extension_protocol_options",
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    ...["explicit_http_config", "http2_protocol_options"],
  );
}

/**
 * A route of the balanced listener: its `route` part.
 *
 * @param name As envoy.yaml names it, for example "unary".
 */
export function routeAction(config: EnvoyConfig, name: string): Fields {
  const path = ["route_config", "virtual_hosts", 0, "routes"] as const;
  return partAt(connectionManager(config), ...path, name, "route");
}

/** Makes one attempt at each unary call. */
export const noRetries: NamedChange = {
  name: "no retries",
  isRemoval: true,
  apply: (config) => {
    delete routeAction(config, "unary")["retry_policy"];
  },
};

/** Retries unary calls up to `count` times. */
export function retries(count: number): NamedChange {
  return {
    name: `${count} retries`,
    apply: (config) => {
      const policy = partAt(routeAction(config, "unary"), "retry_policy");
      policy["num_retries"] = count;
    },
  };
}

/** Allows as many concurrent retries as "max_retries" says: three by default. */
export const noRetryBudget: NamedChange = {
  name: "no retry budget",
  isRemoval: true,
  apply: (config) => {
    for (const limits of limitsIn(config)) delete limits["retry_budget"];
  },
};

/** Limits the calls in flight, and those that wait for a connection. */
export function callsInFlight(count: number): NamedChange {
  return {
    name: `at most ${count} calls in flight`,
    apply: (config) => {
      const cluster = grpcCluster(config);
      const breakers = fieldsOf(cluster["circuit_breakers"]);
      const others = listOf(breakers["thresholds"]);
      const own = others.find(isOfCalls) ?? {};
      const changed = {
        ...own,
        ...{ max_requests: count, max_pending_requests: count },
      };
      cluster["circuit_breakers"] = {
        ...breakers,
        thresholds: [changed, ...others.filter((one) => one !== own)],
      };
    },
  };
}

/** Leaves the limit of calls in flight at Envoy's default of 1024. */
export const noCircuitBreaker: NamedChange = {
  name: "no limit on calls in flight but Envoy's own, 1024",
  isRemoval: true,
  apply: (config) => {
    for (const limits of limitsIn(config).filter(isOfCalls)) {
      delete limits["max_requests"];
      delete limits["max_pending_requests"];
    }
  },
};

/** The limits of each priority, as far as they are set. */
function limitsIn(config: EnvoyConfig): readonly Fields[] {
  return listOf(at(grpcCluster(config), "circuit_breakers", "thresholds"));
}

/** The limits of calls; undefined if none are set. */
export function limitsOfCalls(config: EnvoyConfig): Fields | undefined {
  return limitsIn(config).find(isOfCalls);
}

/** Whether limits are those of calls; streams are of high priority. */
function isOfCalls({ priority = "DEFAULT" }: Fields): boolean {
  return priority === "DEFAULT";
}

/** Asks no server for its health. */
export const noHealthChecks: NamedChange = {
  name: "no health checks",
  isRemoval: true,
  apply: (config) => {
    delete grpcCluster(config)["health_checks"];
  },
};

/** Chooses the least busy of eight random servers for each call. */
export const leastRequest: NamedChange = clusterFields(
  "LEAST_REQUEST of eight choices",
  { lb_policy: "LEAST_REQUEST", least_request_lb_config: { choice_count: 8 } },
);

/** Ejects no server for failing calls. */
export const noOutlierDetection: NamedChange = {
  name: "no outlier detection",
  isRemoval: true,
  apply: (config) => {
    delete grpcCluster(config)["outlier_detection"];
  },
};

/**
 * With a smaller share of healthy servers, Envoy calls the unhealthy ones too.
 *
 * @param percent Envoy's own default is 50.
 */
export function panicThreshold(percent: number): NamedChange {
  return {
    name: `panic threshold of ${percent} %`,
    apply: (config) => {
      const balancing = partAt(grpcCluster(config), "common_lb_config");
      balancing["healthy_panic_threshold"] = { value: percent };
    },
  };
}

/** Removes every listener's own connection limit. */
export function dropListenerLimits(config: EnvoyConfig): void {
  const layer = partAt(config, "layered_runtime", "layers", 0, "static_layer");
  for (const key of Object.keys(layer)) {
    if (key.endsWith(".connection_limit")) delete layer[key];
  }
}

/** Replaces whole fields of the balanced cluster. */
export function clusterFields(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      Object.assign(grpcCluster(config), structuredClone(fields));
    },
  };
}

/** Replaces fields of the balanced cluster's first health check. */
export function healthCheckFields(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      const check = partAt(grpcCluster(config), "health_checks", 0);
      Object.assign(check, structuredClone(fields));
    },
  };
}

/** Replaces fields of the balanced cluster's outlier detection. */
export function outlierFields(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      const detection = partAt(grpcCluster(config), "outlier_detection");
      Object.assign(detection, fields);
    },
  };
}
