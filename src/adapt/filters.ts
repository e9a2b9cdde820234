/** Which HTTP filters a local run keeps. */
import { type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import type { Notes } from "./_notes.ts";

/** Filters that need nothing but the call itself. */
const KEPT = new RegExp(
  "\\.http\\.(router|rbac|buffer|compressor|decompressor|cors|csrf|fault|" +
    "grpc_stats|grpc_web|grpc_http1_bridge|header_mutation|" +
    "header_to_metadata|health_check|local_ratelimit|adaptive_concurrency|" +
    "admission_control|bandwidth_limit|set_metadata|set_filter_state|" +
    "stateful_session|upstream_codec|lua)\\.",
);

/** Fields that lead to another cluster, a file or a control plane. */
const OUTSIDE = new Set([
  "cluster",
  "cluster_name",
  "filename",
  "config_discovery",
  "sds_config",
]);

/**
 * The filters of a list that can be kept; notes those that cannot.
 *
 * @param list Plain values, as in http_filters.
 * @param of What they belong to, as in `listener "a"`.
 */
export function keptFilters(
  list: unknown,
  of: string,
  notes: Notes,
): readonly Fields[] {
  return listOf(list).filter((filter) => {
    const why = obstacleIn(filter);
    if (why === undefined) return true;
    notes.add(of, `without the filter ${filter["name"]}, ${why}`);
    return false;
  });
}

function obstacleIn(filter: Fields): string | undefined {
  const config = fieldsOf(filter["typed_config"]);
  const type = String(config["@type"]);
  if (!KEPT.test(type)) {
    return "which asks others, or turns away callers that it does not know";
  }
  if (leadsOutside(filter)) return "which asks others or reads files";
  const text = JSON.stringify(config);
  if (type.includes(".lua.") && text.includes("httpCall")) {
    return "whose script calls others";
  }
  return type.includes(".rbac.") && /"(authenticated|metadata)":/.test(text)
    ? "which asks who calls"
    : undefined;
}

function leadsOutside(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, inner]) =>
    OUTSIDE.has(key) || leadsOutside(inner)
  );
}

/** Leaves out settings of filters that are not kept, in place. */
export function dropSettings(
  fields: Fields,
  kept: ReadonlySet<string>,
): void {
  const settings = fieldsOf(fields["typed_per_filter_config"]);
  for (const name of Object.keys(settings)) {
    if (!kept.has(name)) delete settings[name];
  }
}
