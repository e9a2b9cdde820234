// The parts of a run in time, and what k6 must be told about them.
import exec from "k6/execution";

/**
 * A part of a run:
 * - `name`: as the table shows it; letters, digits and dashes.
 * - `scenario`: the k6 scenario that it belongs to.
 * - `ratePerS`, `durationMs`: the load.
 * - `isMeasured`: whether it counts for the shares, errors and latency of the
 *   whole run; warm-up does not.
 * - `p99Ms`: its own bound, if it has one.
 */

/** The warm-up, as the first part of a scenario; none if it takes no time. */
export function warmup(settings, scenario) {
  if (settings.warmupMs === 0) return [];
  return [{
    name: "warm-up",
    scenario,
    ratePerS: settings.ratePerS,
    durationMs: settings.warmupMs,
    isMeasured: false,
  }];
}

/** The parts of one scenario, in the order of time. */
function ofScenario(phases, scenario) {
  return phases.filter((phase) => phase.scenario === scenario);
}

function total(phases) {
  return phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** The names of the scenarios, in the order of time. */
function scenarioNames(phases) {
  return phases.map(({ scenario }) => scenario)
    .filter((name, at, all) => all.indexOf(name) === at);
}

/**
 * The k6 scenarios that make the phases: open loops, one behind the other.
 *
 * @param iterationsPerCall Less than 1 when an iteration makes several calls.
 */
export function scenariosOf(phases, vus, iterationsPerCall = 1) {
  let startMs = 0;
  const entries = scenarioNames(phases).map((name) => {
    const own = ofScenario(phases, name);
    const perMinute = ({ ratePerS }) =>
      Math.max(1, Math.round(60 * ratePerS * iterationsPerCall));
    const entry = [name, {
      startTime: `${startMs}ms`,
      timeUnit: "1m",
      preAllocatedVUs: vus,
      maxVUs: vus,
      ...(own.every(({ ratePerS }) => ratePerS === own[0].ratePerS)
        ? {
          executor: "constant-arrival-rate",
          rate: perMinute(own[0]),
          duration: `${total(own)}ms`,
        }
        : {
          executor: "ramping-arrival-rate",
          startRate: perMinute(own[0]),
          stages: own.flatMap((phase) => [
            { target: perMinute(phase), duration: "0s" },
            { target: perMinute(phase), duration: `${phase.durationMs}ms` },
          ]),
        }),
    }];
    startMs += total(own);
    return entry;
  });
  return Object.fromEntries(entries);
}

/** k6's metric of iterations that were not started, of a phase's scenario. */
export function droppedMetric({ scenario }) {
  return `dropped_iterations{scenario:${scenario}}`;
}

/** How many calls the measured phases ask for. */
export function measuredCalls(phases) {
  return phases.filter(({ isMeasured }) => isMeasured).reduce(
    (sum, { ratePerS, durationMs }) => sum + ratePerS * durationMs / 1000,
    0,
  );
}

/** The phase that this iteration belongs to, by the time of its start. */
export function currentPhase(phases) {
  const own = ofScenario(phases, exec.scenario.name);
  let leftMs = Date.now() - exec.scenario.startTime;
  for (const phase of own) {
    leftMs -= phase.durationMs;
    if (leftMs < 0) return phase;
  }
  return own[own.length - 1];
}
