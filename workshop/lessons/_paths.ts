/** Where the parts of envoy.yaml are that lessons change and look at. */
import { at, type Step } from "../../src/core/yaml.ts";
import {
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
  L4_LISTENER,
} from "../../src/stack/envoy_config.ts";

/** A path of envoy.yaml. */
type Path = readonly Step[];

/** The cluster of the balanced listener. */
export const CLUSTER: Path = ["static_resources", "clusters", GRPC_CLUSTER];

/** The same servers, for the listener that balances connections. */
export const L4_CLUSTER: Path = [
  ...["static_resources", "clusters", "grpc-server-l4"],
];

/** The first health check of the first. */
export const HEALTH_CHECK: Path = [...CLUSTER, "health_checks", 0];

/** The balanced listener. */
export const LISTENER: Path = ["static_resources", "listeners", GRPC_LISTENER];

/** The first filter of the listener that balances connections. */
export const L4_FILTER: Path = [
  ...["static_resources", "listeners", L4_LISTENER],
  ...["filter_chains", 0, "filters", 0, "typed_config"],
];

/** The route of calls that are not streams. */
export const UNARY_ROUTE: Path = [
  ...[...LISTENER, "filter_chains", 0, "filters", 0, "typed_config"],
  ...["route_config", "virtual_hosts", 0, "routes", "unary", "route"],
];

/** Its retries. */
export const RETRY_POLICY: Path = [...UNARY_ROUTE, "retry_policy"];

/** A duration such as "0.5s", in seconds; NaN if there is none. */
export function secondsAt(config: EnvoyConfig, path: Path): number {
  return parseFloat(String(at(config, ...path)));
}
