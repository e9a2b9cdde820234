// Calls to a server that does nothing, on this machine: how late they are tells
// how busy it is, whatever becomes of the calls that are measured.
import exec from "k6/execution";
import type { Scenario } from "k6/options";
import { Trend } from "k6/metrics";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { Caller } from "./greeter.ts";

/** The metric of their latency. */
export const REFERENCE_METRIC = "reference_ms";

const referenceMs = new Trend(REFERENCE_METRIC, true);

const SCENARIO = "reference";

/** So many a second show the same moments as the measured calls. */
const RATE_PER_S = 20;

/** Calls that are late must not keep others from starting. */
const CALLERS = 10;

// Each VU has its own.
let caller: Caller | undefined;

/** The scenario that makes them; none without REFERENCE. */
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

/** Makes such a call if this iteration is one; whether it was. */
export function isReferenceCall({ reference }: LoadSettings): boolean {
  if (exec.scenario.name !== SCENARIO) return false;
  caller ??= new Caller(reference);
  try {
    caller.connectOnce();
    const startedAtMs = Date.now();
    caller.callReference();
    referenceMs.add(Date.now() - startedAtMs);
  } catch {
    // It is about this machine, and what fails here is no call of the test.
  }
  return true;
}
