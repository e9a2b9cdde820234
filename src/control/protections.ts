/** The protections of callers, switched off as experiments' controls do it. */
import {
  changesAnything,
  leastRequest,
  noCircuitBreaker,
  noHealthChecks,
  noOutlierDetection,
  noRetries,
  noRetryBudget,
  panicThreshold,
} from "../experiment/changes.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import type { ProtectionState } from "./state.ts";

/** One protection. */
export interface Protection {
  readonly id: string;
  readonly title: string;
  /** What it does, or what goes wrong without it. */
  readonly about: string;
  /** Whether envoy.yaml has it. */
  readonly isOnAtFirst: boolean;
  /**
   * Flips the configuration to the other position; undefined if the protection
   * is not Envoy's.
   */
  readonly turn?: (config: EnvoyConfig) => void;
}

/** The protection that is in the servers, not in Envoy. */
export const DRAINING = "draining";

/** All of them, in the order in which a call meets them. */
export const PROTECTIONS: readonly Protection[] = [
  {
    id: "retries",
    title: "Retries",
    about: "Without them a call that a server drops is lost to its caller.",
    isOnAtFirst: true,
    turn: noRetries.apply,
  },
  {
    id: "retry-budget",
    title: "Retry budget",
    about:
      "Without it Envoy allows three concurrent retries: a server that dies " +
      "with more calls in flight loses the rest.",
    isOnAtFirst: true,
    turn: noRetryBudget.apply,
  },
  {
    id: "health-checks",
    title: "Health checks",
    about:
      "Without them a server that says it is not serving still gets calls.",
    isOnAtFirst: true,
    turn: noHealthChecks.apply,
  },
  {
    id: "outlier-detection",
    title: "Outlier detection",
    about: "Without it a server that fails its calls, but passes its health " +
      "checks, keeps its share.",
    isOnAtFirst: true,
    turn: noOutlierDetection.apply,
  },
  {
    id: "circuit-breaker",
    title: "Circuit breaker",
    about: "Without it slow servers get ever more concurrent calls.",
    isOnAtFirst: true,
    turn: noCircuitBreaker.apply,
  },
  {
    id: "panic-threshold",
    title: "No panic",
    about:
      "Without it, at Envoy's default of 50 %, unhealthy servers get calls " +
      "again as soon as most servers are unhealthy.",
    isOnAtFirst: true,
    turn: panicThreshold(50).apply,
  },
  {
    id: DRAINING,
    title: "Draining",
    about: "Without it a server ends at once when it is terminated or scaled " +
      "away, like a program that does not handle SIGTERM.",
    isOnAtFirst: true,
  },
  {
    id: "least-request",
    title: "Least request",
    about: "Instead of round robin: a server that is slower than the others " +
      "gets fewer calls.",
    isOnAtFirst: false,
    turn: leastRequest.apply,
  },
];

/** The protections that a configuration lacks, so that none can be turned. */
export function absentIn(config: EnvoyConfig): ReadonlySet<string> {
  return new Set(
    PROTECTIONS.filter(({ title, isOnAtFirst, turn }) =>
      isOnAtFirst && turn !== undefined &&
      !changesAnything({ name: title, apply: turn }, config)
    ).map(({ id }) => id),
  );
}

/** The protections that are not in envoy.yaml's position. */
export type Turned = ReadonlySet<string>;

/** The protections as viewers see them. */
export function protectionStates(
  turned: Turned,
  absent: ReadonlySet<string>,
): readonly ProtectionState[] {
  return PROTECTIONS.map(({ id, title, about, isOnAtFirst }) => ({
    id,
    title,
    about,
    isOn: !absent.has(id) && turned.has(id) !== isOnAtFirst,
  }));
}

/** A copy of the configuration with these protections flipped. */
export function configWith(config: EnvoyConfig, turned: Turned): EnvoyConfig {
  const copy = structuredClone(config);
  for (const { id, turn } of PROTECTIONS) {
    if (turned.has(id)) turn?.(copy);
  }
  return copy;
}
