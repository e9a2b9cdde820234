// An open loop of unary calls: calls start at their time, whether or not the
// ones before have ended, so a slow server cannot slow the load down.
import { Counter, Rate, Trend } from "k6/metrics";
import type { Options } from "k6/options";
import type { LoadReport } from "../../src/core/load/report.ts";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { type ShapeName, SHAPES } from "../../src/core/load/shapes.ts";
import { type Discovered, discoverServers } from "./discovery.ts";
import { Caller, type CallResult, type Tags } from "./greeter.ts";
import {
  currentPhase,
  droppedMetric,
  measuredCalls,
  type Phase,
  scenariosOf,
  totalMs,
} from "./phases.ts";
import { isReferenceCall, referenceScenario } from "./reference.ts";
import { Slots, type Thresholds } from "./slots.ts";
import { summarize, type SummaryData } from "./summary.ts";

const calls = new Counter("calls");
const errors = new Rate("errors");
const connectMs = new Trend("connect_ms", true);

/** The statistics of latency that a report shows. */
const TREND_STATS = [
  "count",
  "min",
  "med",
  "p(90)",
  "p(95)",
  "p(99)",
  "max",
];

/** What makes a load test. */
export interface OpenLoop {
  /** Which load test it is; the report's title and file come from there. */
  readonly shape: ShapeName;
  readonly settings: LoadSettings;
  readonly phases: readonly Phase[];
  /** Most calls in flight, and connections; the settings' by default. */
  readonly vus?: number;
  /** Whether each call has a connection of its own. */
  readonly reconnects?: boolean;
  /** Makes the calls of one iteration: by default one, of SayHello. */
  readonly perform?: (
    caller: Caller,
    settings: LoadSettings,
    tags: Tags,
  ) => readonly CallResult[] | Promise<readonly CallResult[]>;
  /** How many calls that are. */
  readonly callsPerIteration?: number;
  /** The metric of their latency. */
  readonly latencyMetric?: string;
  /** Bounds of the latency of the whole; the settings' by default. */
  readonly bounds?: { readonly p95Ms: number; readonly p99Ms: number };
  /** Further thresholds, by metric. */
  readonly thresholds?: Thresholds;
  /** Makes further lines of the report. */
  readonly comment?: (report: LoadReport) => readonly string[];
}

/** A load test as k6 wants it; `run` is the default export. */
export interface K6Test {
  readonly options: Options;
  readonly setup: () => Discovered;
  readonly run: (found: Discovered) => Promise<void>;
  readonly handleSummary: (data: SummaryData) => Record<string, string>;
}

/** Makes a load test. */
export function openLoop({
  shape,
  settings,
  phases,
  vus = settings.vus,
  reconnects = false,
  perform = (caller, given, tags) => [caller.sayHello(given, tags)],
  callsPerIteration = 1,
  latencyMetric = "grpc_req_duration",
  bounds = { p95Ms: settings.p95Ms, p99Ms: settings.p99Ms },
  thresholds = {},
  comment = () => [],
}: OpenLoop): K6Test {
  // Connections that are balanced one by one look like calls that are.
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
      return undefined; // The next iteration tries again.
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
      ...SHAPES[shape],
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

/** No call of a scenario that is measured may be left out. */
function droppedThresholds(phases: readonly Phase[]): Thresholds {
  const measured = phases.filter(({ isMeasured }) => isMeasured);
  return Object.fromEntries(
    measured.map((phase) => [droppedMetric(phase), ["count==0"]]),
  );
}

/** A share is counted in calls: the tolerance must be at least one of them. */
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
 * The bounds of single phases. k6 keeps a phase's numbers apart only if a
 * threshold asks for them; one that always holds does that for the others.
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
