/** Finds the lines of the configuration that govern Envoy's figures. */
import { excerptAt, type Step } from "../core/yaml.ts";
import { GRPC_CLUSTER, GRPC_LISTENER } from "../stack/envoy_config.ts";
import type { ConfigExcerpt, EnvoyState } from "./state.ts";

const CLUSTER: readonly Step[] = ["static_resources", "clusters", GRPC_CLUSTER];

const HEALTH = [...CLUSTER, "health_checks"];
const PANIC = [...CLUSTER, "common_lb_config", "healthy_panic_threshold"];
const OUTLIERS = [...CLUSTER, "outlier_detection"];
const BREAKERS = [...CLUSTER, "circuit_breakers"];
const RETRIES: readonly Step[] = [
  ...["static_resources", "listeners", GRPC_LISTENER],
  ...["filter_chains", 0, "filters", 0, "typed_config"],
  ...["route_config", "virtual_hosts", 0, "routes", "unary"],
  ...["route", "retry_policy"],
];

/** The field that governs each figure. */
const PLACES: Readonly<Partial<Record<keyof EnvoyState, readonly Step[]>>> = {
  total: HEALTH,
  healthy: HEALTH,
  isPanicking: PANIC,
  ejectionsActive: OUTLIERS,
  ejections: OUTLIERS,
  openBreakers: BREAKERS,
  overflows: BREAKERS,
  retries: RETRIES,
  retriesAllowed: BREAKERS,
  retriesLeft: BREAKERS,
  retriesOverBudget: BREAKERS,
};

/**
 * Extracts these fields from a configuration.
 *
 * @param text YAML; a figure whose field is missing has no excerpt.
 */
export function excerptsOf(text: string): readonly ConfigExcerpt[] {
  return Object.entries(PLACES).flatMap(([figure, path]) => {
    const found = excerptAt(text, path);
    return found === undefined
      ? []
      : [{ figure: figure as keyof EnvoyState, ...found }];
  });
}
