/** The lines of the configuration behind Envoy's figures. */
import { yamlOf } from "../core/yaml.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import {
  type GoverningLines,
  type GoverningPart,
  governingValue,
} from "../stack/governing.ts";
import type { ConfigExcerpt, EnvoyState } from "./state.ts";

/** What governs each figure. */
const PART_OF: Readonly<Partial<Record<keyof EnvoyState, GoverningPart>>> = {
  total: "healthChecks",
  healthy: "healthChecks",
  isPanicking: "panic",
  ejectionsActive: "outliers",
  ejections: "outliers",
  openBreakers: "breakers",
  overflows: "breakers",
  retries: "retries",
  retriesAllowed: "breakers",
  retriesLeft: "breakers",
  retriesOverBudget: "breakers",
};

/**
 * The lines behind each figure, and what Envoy has in their place.
 *
 * @param lines Of the file; a figure without any has no excerpt.
 * @param base The configuration that the file gives.
 * @param now The one that Envoy has, with protections switched.
 */
export function excerptsOf(
  lines: readonly GoverningLines[],
  base: EnvoyConfig,
  now: EnvoyConfig,
): readonly ConfigExcerpt[] {
  return Object.entries(PART_OF).flatMap(([figure, part]) => {
    const found = lines.find((one) => one.part === part);
    if (found === undefined) return [];
    const { file, line, text } = found;
    const value = governingValue(now, part);
    const isInForce =
      JSON.stringify(value) === JSON.stringify(governingValue(base, part));
    return [{
      figure: figure as keyof EnvoyState,
      ...{ file, line, text },
      instead: isInForce ? null : value === undefined ? "" : yamlOf(value),
    }];
  });
}
