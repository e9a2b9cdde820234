// Calls to a server on this machine that does nothing: their latency shows how
// busy the machine is, independently of the measured calls.
import exec from "k6/execution";
import type { Scenario } from "k6/options";
import { Trend } from "k6/metrics";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { Caller } from "./greeter.ts";

/** The metric of their latency. */
export const REFERENCE_METRIC = "reference_ms";

const referenceMs = new Trend(REFERENCE_METRIC, true);

const SCENARIO = "reference";

/** Frequent enough to see the same moments as the measured calls. */
const RATE_PER_S = 20;

/** Late calls must not delay others. */
const CALLERS = 10;

// Each VU has its own.
let caller: Caller | undefined;

/** Their scenario; empty without REFERENCE. */
export function referenceScenario(
  { reference, warmupMs }: LoadSettings,
  totalMs: number,
): Record<string, Scenario> {
  if (reference === "") return {};
  return {
    [SCENARIO]: {
      executor: "constant-arrival-rate",
      startTime: `${warmupMs}ms`,
      duration: `${totalMs - warmupMs}ms`,
      rate: RATE_PER_S,
      timeUnit: "1s",
      preAllocatedVUs: CALLERS,
      maxVUs: CALLERS,
    },
  };
}

/**
 * Makes the call if this iteration is a reference call. @returns Whether it is.
 */
export function isReferenceCall({ reference }: LoadSettings): boolean {
  if (exec.scenario.name !== SCENARIO) return false;
  caller ??= new Caller(reference);
  try {
    caller.connectOnce();
    const startedAtMs = Date.now();
    caller.callReference();
    referenceMs.add(Date.now() - startedAtMs);
  } catch {
    // Ignored: this is not a call of the test.
  }
  return true;
}
