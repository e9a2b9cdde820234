// An open loop: calls start on schedule (a constant arrival rate), whether or
// not earlier ones have ended, so a slow server cannot slow the load down.
import { Counter, Rate, Trend } from "k6/metrics";
import type { Options } from "k6/options";
import type { LoadReport } from "../../src/core/load/report.ts";
import {
  type LoadSettings,
  readLoadSettings,
} from "../../src/core/load/settings.ts";
import { type ShapeName, SHAPES } from "../../src/core/load/shapes.ts";
import { type Discovered, discoverServers } from "./discovery.ts";
import { Caller, type CallResult, type Tags } from "./greeter.ts";
import {
  currentPhase,
  droppedMetric,
  measuredCalls,
  type Phase,
  phasesOf,
  scenariosOf,
  totalMs,
} from "./phases.ts";
import { isReferenceCall, referenceScenario } from "./reference.ts";
import { Slots, type Thresholds } from "./slots.ts";
import { summarize, type SummaryData } from "./summary.ts";

const calls = new Counter("calls");
const errors = new Rate("errors");
const connectMs = new Trend("connect_ms", true);

/** The latency statistics in a report. */
const TREND_STATS = [
  "count",
  "min",
  "med",
  "p(90)",
  "p(95)",
  "p(99)",
  "max",
];

/** Defines a load test. */
export interface OpenLoop {
  readonly settings: LoadSettings;
  /** What follows the warm-up (default: one phase); see `phasesOf()`. */
  readonly phases?: readonly Partial<Phase>[];
  /** The most calls in flight, and connections (default: from the settings). */
  readonly vus?: number;
  /** Whether each call has a connection of its own. */
  readonly reconnects?: boolean;
  /** Makes the calls of one iteration (default: one SayHello). */
  readonly perform?: (
    caller: Caller,
    settings: LoadSettings,
    tags: Tags,
  ) => readonly CallResult[] | Promise<readonly CallResult[]>;
  /** How many calls that makes (default 1). */
  readonly callsPerIteration?: number;
  /** The metric of their latency. */
  readonly latencyMetric?: string;
  /** Latency bounds of the whole run (default: from the settings). */
  readonly bounds?: { readonly p95Ms: number; readonly p99Ms: number };
  /** Further thresholds, by metric. */
  readonly thresholds?: Thresholds;
  /** Returns further lines for the report. */
  readonly comment?: (report: LoadReport) => readonly string[];
}

/** A load test in k6's terms; `run` is the default export. */
export interface K6Test {
  readonly options: Options;
  readonly setup: () => Discovered;
  readonly run: (found: Discovered) => Promise<void>;
  readonly handleSummary: (data: SummaryData) => Record<string, string>;
}

/**
 * Reads the settings of a script. Errors go into `problems`, which abort the
 * run in set-up. k6 does not distinguish `-e` from the environment.
 */
export function readSettings(shape: ShapeName): LoadSettings {
  return readLoadSettings(shape, __ENV);
}

/** Makes a load test. */
export function openLoop({
  settings,
  phases: given = [{}],
  vus = settings.vus,
  reconnects = false,
  perform = (caller, given, tags) => [caller.sayHello(given, tags)],
  callsPerIteration = 1,
  latencyMetric = "grpc_req_duration",
  bounds = { p95Ms: settings.p95Ms, p99Ms: settings.p99Ms },
  thresholds = {},
  comment = () => [],
}: OpenLoop): K6Test {
  const phases = phasesOf(settings, given);
  // With one call per connection, balanced connections look like balanced
  // calls.
  const isPinned = settings.l7Target !== "" && !reconnects;
  requireEnoughCalls(settings, phases);
  const slots = new Slots(settings, isPinned);
  const options: Options = {
    scenarios: {
      ...scenariosOf(phases, vus, 1 / callsPerIteration),
      ...referenceScenario(settings, totalMs(phases)),
    },
    summaryTrendStats: TREND_STATS,
    thresholds: {
      ...slots.thresholds(),
      calls: ["count>0"],
      errors: ["rate==0"],
      ...droppedThresholds(phases),
      [`${latencyMetric}{measured:yes}`]: [
        `p(95)<${bounds.p95Ms}`,
        `p(99)<${bounds.p99Ms}`,
      ],
      ...phaseThresholds(phases, latencyMetric),
      ...thresholds,
    },
  };

  function setup(): Discovered {
    const found = discoverServers(settings);
    slots.noteFound(found.names, found.l7Calls);
    return found;
  }

  function count(
    phase: Phase,
    names: readonly string[],
    { isOk, server }: CallResult,
  ): void {
    if (!phase.isMeasured) return;
    calls.add(1);
    errors.add(!isOk, { phase: phase.name });
    if (isOk) slots.count(server, names);
  }

  // Each VU has its own.
  let caller: Caller | undefined;

  function connect(phase: Phase): Caller | undefined {
    caller ??= new Caller(settings.target);
    const startedAtMs = Date.now();
    try {
      caller.connectOnce();
    } catch {
      return undefined; // The next iteration retries.
    }
    if (reconnects) connectMs.add(Date.now() - startedAtMs, tagsOf(phase));
    return caller;
  }

  async function run({ names }: Discovered): Promise<void> {
    if (isReferenceCall(settings)) return;
    const phase = currentPhase(phases);
    const connected = connect(phase);
    if (connected === undefined) {
      for (let call = 0; call < callsPerIteration; call += 1) {
        count(phase, names, { isOk: false, server: "", error: "" });
      }
      return;
    }
    const results = await perform(connected, settings, tagsOf(phase));
    for (const result of results) count(phase, names, result);
    if (reconnects) connected.disconnect();
  }

  function handleSummary(data: SummaryData): Record<string, string> {
    return summarize(data, {
      ...SHAPES[settings.shape],
      settings,
      phases,
      vus,
      isPinned,
      bounds,
      callsPerIteration,
      latencyMetric,
      comment,
    });
  }

  return { options, setup, run, handleSummary };
}

/** No iteration of a measured scenario may be dropped. */
function droppedThresholds(phases: readonly Phase[]): Thresholds {
  const measured = phases.filter(({ isMeasured }) => isMeasured);
  return Object.fromEntries(
    measured.map((phase) => [droppedMetric(phase), ["count==0"]]),
  );
}

/** Shares are counted in calls: the tolerance must be at least one call. */
function requireEnoughCalls(
  { servers, tolerance, problems }: LoadSettings,
  phases: readonly Phase[],
): void {
  const calls = measuredCalls(phases);
  if (tolerance * calls / servers >= 1) return;
  problems.push(
    `TOLERANCE ${tolerance} is less than one of the ${
      Math.floor(calls / servers)
    } calls that each server gets; raise RATE, DURATION or TOLERANCE`,
  );
}

function tagsOf(phase: Phase): Tags {
  return { phase: phase.name, measured: phase.isMeasured ? "yes" : "no" };
}

/**
 * The bounds of single phases. k6 keeps separate numbers only for phases with a
 * threshold, so phases without a bound get one that always holds.
 */
function phaseThresholds(
  phases: readonly Phase[],
  latencyMetric: string,
): Thresholds {
  const entries = phases.flatMap(({ name, p99Ms }) => [
    [
      `${latencyMetric}{phase:${name}}`,
      [p99Ms === undefined ? "p(99)>=0" : `p(99)<${p99Ms}`],
    ],
    [`errors{phase:${name}}`, ["rate>=0"]],
  ]);
  return Object.fromEntries(entries);
}
