/** The parts of a configuration that govern what Envoy's figures show. */
import { at } from "../core/yaml.ts";
import {
  type EnvoyConfig,
  GRPC_CLUSTER,
  GRPC_LISTENER,
} from "./envoy_config.ts";

/** Where a part is: a dotted path in the cluster, or in the route, of calls. */
export const GOVERNING = {
  healthChecks: { of: "cluster", path: "health_checks" },
  panic: { of: "cluster", path: "common_lb_config.healthy_panic_threshold" },
  outliers: { of: "cluster", path: "outlier_detection" },
  breakers: { of: "cluster", path: "circuit_breakers" },
  retries: { of: "route", path: "retry_policy" },
} as const satisfies Readonly<
  Record<
    string,
    { readonly of: "cluster" | "route"; readonly path: string }
  >
>;

/** The name of such a part. */
export type GoverningPart = keyof typeof GOVERNING;

/** The lines of a file that are such a part. */
export interface GoverningLines {
  readonly part: GoverningPart;
  /** The file's name, as it is shown. */
  readonly file: string;
  /** The number of the first line, from 1. */
  readonly line: number;
  readonly text: string;
}

const ROOTS = {
  cluster: ["static_resources", "clusters", GRPC_CLUSTER],
  route: [
    ...["static_resources", "listeners", GRPC_LISTENER],
    ...["filter_chains", 0, "filters", 0, "typed_config"],
    ...["route_config", "virtual_hosts", 0, "routes", "unary", "route"],
  ],
} as const;

/** The value of such a part in a stack's configuration; undefined if unset. */
export function governingValue(
  config: EnvoyConfig,
  part: GoverningPart,
): unknown {
  const { of, path } = GOVERNING[part];
  return at(config, ...ROOTS[of], ...path.split("."));
}
