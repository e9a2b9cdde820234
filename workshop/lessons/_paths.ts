/** Where the parts of envoy.yaml are that lessons edit and look at. */
import { at, type Step } from "../../src/core/yaml.ts";
import {
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
  L4_LISTENER,
} from "../../src/stack/envoy_config.ts";

type Path = readonly Step[];

/** The balanced listener. */
export const LISTENER: Path = ["static_resources", "listeners", GRPC_LISTENER];

/** The balanced listener's HTTP connection manager. */
export const MANAGER: Path = [
  ...LISTENER,
  ...["filter_chains", 0, "filters", 0, "typed_config"],
];

/** The TCP proxy of the listener that balances connections. */
export const L4_PROXY: Path = [
  ...["static_resources", "listeners", L4_LISTENER],
  ...["filter_chains", 0, "filters", 0, "typed_config"],
];

/** The cluster of the balanced listener. */
export const CLUSTER: Path = ["static_resources", "clusters", GRPC_CLUSTER];

/** The same servers, for the listener that balances connections. */
export const L4_CLUSTER: Path = [
  ...["static_resources", "clusters", "grpc-server-l4"],
];

/** The health check of the balanced cluster. */
export const HEALTH_CHECK: Path = [...CLUSTER, "health_checks", 0];

/**
 * A route of the balanced listener: its `route` part.
 *
 * @param name As envoy.yaml names it, for example "unary".
 */
export function routePath(name: string): Path {
  const path = ["route_config", "virtual_hosts", 0, "routes"] as const;
  return [...MANAGER, ...path, name, "route"];
}

/** The retries of calls that are not streams. */
export const RETRY_POLICY: Path = [...routePath("unary"), "retry_policy"];

/** A duration such as "0.5s", in seconds; NaN if there is none. */
export function secondsAt(config: EnvoyConfig, path: Path): number {
  return parseFloat(String(at(config, ...path)));
}
