/** Where the parts of envoy.yaml are that lessons edit. */
import type { Step } from "../../src/core/yaml.ts";
import { GRPC_CLUSTER, GRPC_LISTENER } from "../../src/stack/envoy_config.ts";

/** The balanced listener. */
export const LISTENER: readonly Step[] = [
  "static_resources",
  "listeners",
  GRPC_LISTENER,
];

/** The balanced listener's HTTP connection manager. */
export const MANAGER: readonly Step[] = [
  ...LISTENER,
  ...["filter_chains", 0, "filters", 0, "typed_config"],
];

/** The cluster of the balanced listener. */
export const CLUSTER: readonly Step[] = [
  "static_resources",
  "clusters",
  GRPC_CLUSTER,
];

/**
 * A route of the balanced listener: its `route` part.
 *
 * @param name As envoy.yaml names it, for example "unary".
 */
export function routePath(name: string): readonly Step[] {
  const path = ["route_config", "virtual_hosts", 0, "routes"] as const;
  return [...MANAGER, ...path, name, "route"];
}
