// The phases of a run, and their k6 scenarios.
import exec from "k6/execution";
import type { Scenario } from "k6/options";

import type { LoadSettings } from "../../src/core/load/settings.ts";

/** A phase of a run. */
export interface Phase {
  /** Its name in tables; letters, digits and dashes. */
  readonly name: string;
  /** The k6 scenario that it belongs to. */
  readonly scenario: string;
  readonly ratePerS: number;
  readonly durationMs: number;
  /**
   * Whether it counts towards the run's shares, errors and latency; warm-up
   * does not.
   */
  readonly isMeasured: boolean;
  /** Its own bound, if it has one. */
  readonly p99Ms?: number;
}

type Phases = readonly Phase[];

/**
 * All phases of a run: the warm-up, if it takes any time, in the scenario of
 * the first, and then the given ones. What these leave out is as for a single
 * measured phase that is named after the load test.
 */
export function phasesOf(
  { shape, ratePerS, durationMs, warmupMs }: LoadSettings,
  given: readonly Partial<Phase>[],
): Phases {
  const normal = {
    name: shape,
    scenario: shape,
    ratePerS,
    durationMs,
    isMeasured: true,
  };
  const warmup = {
    ...normal,
    name: "warm-up",
    scenario: given[0]?.scenario ?? shape,
    durationMs: warmupMs,
    isMeasured: false,
  };
  return [
    ...(warmupMs === 0 ? [] : [warmup]),
    ...given.map((phase) => ({ ...normal, ...phase })),
  ];
}

/** The phases of one scenario, in order. */
function ofScenario(phases: Phases, scenario: string): Phases {
  return phases.filter((phase) => phase.scenario === scenario);
}

/** The total duration of phases. */
export function totalMs(phases: Phases): number {
  return phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** The names of the scenarios, in order. */
function scenarioNames(phases: Phases): readonly string[] {
  return phases.map(({ scenario }) => scenario)
    .filter((name, at, all) => all.indexOf(name) === at);
}

/**
 * The k6 scenarios of the phases: open loops, one after another.
 *
 * @param iterationsPerCall Less than 1 when an iteration makes several calls.
 */
export function scenariosOf(
  phases: Phases,
  vus: number,
  iterationsPerCall = 1,
): Record<string, Scenario> {
  let startMs = 0;
  const entries = scenarioNames(phases).map((name) => {
    const own = ofScenario(phases, name);
    const firstRatePerS = own[0]?.ratePerS ?? 0;
    const perMinute = (ratePerS: number) =>
      Math.max(1, Math.round(60 * ratePerS * iterationsPerCall));
    const entry = [name, {
      startTime: `${startMs}ms`,
      timeUnit: "1m",
      preAllocatedVUs: vus,
      maxVUs: vus,
      ...(own.every(({ ratePerS }) => ratePerS === firstRatePerS)
        ? {
          executor: "constant-arrival-rate",
          rate: perMinute(firstRatePerS),
          duration: `${totalMs(own)}ms`,
        }
        : {
          executor: "ramping-arrival-rate",
          startRate: perMinute(firstRatePerS),
          stages: own.flatMap((phase) => [
            { target: perMinute(phase.ratePerS), duration: "0s" },
            {
              target: perMinute(phase.ratePerS),
              duration: `${phase.durationMs}ms`,
            },
          ]),
        }),
    }];
    startMs += totalMs(own);
    return entry;
  });
  return Object.fromEntries(entries);
}

/** k6's metric of dropped iterations in a phase's scenario. */
export function droppedMetric({ scenario }: Phase): string {
  return `dropped_iterations{scenario:${scenario}}`;
}

/** How many calls the measured phases should make. */
export function measuredCalls(phases: Phases): number {
  return phases.filter(({ isMeasured }) => isMeasured).reduce(
    (sum, { ratePerS, durationMs }) => sum + ratePerS * durationMs / 1000,
    0,
  );
}

/** The phase of this iteration, by its start time. */
export function currentPhase(phases: Phases): Phase {
  const own = ofScenario(phases, exec.scenario.name);
  let leftMs = Date.now() - exec.scenario.startTime;
  for (const phase of own) {
    leftMs -= phase.durationMs;
    if (leftMs < 0) return phase;
  }
  const last = own.at(-1);
  if (last === undefined) throw new Error("A scenario has no phase");
  return last;
}
