/** What a report shows, made of the results; pure. */
import type { KnownLimit, Verdict } from "../experiment/experiment.ts";
import {
  controlsOf,
  type Finding,
  type JudgedRun,
  type Result,
} from "../experiment/conduct.ts";
import {
  type CallRecord,
  type History,
  Unmeasured,
} from "../experiment/history.ts";
import {
  isFailed,
  isLost,
  type Outcomes,
  outcomesOf,
  percentile,
} from "../experiment/judge.ts";
import { type Comparison, reconcile } from "../experiment/reconcile.ts";

/** Where and how the experiments were run. */
export interface ReportInfo {
  readonly seed: number;
  /** Which kind of stack: "native". */
  readonly stack: string;
  /** The command line that repeats it. */
  readonly command: string;
  /** What the machine is, by name: "processor cores" and so on. */
  readonly machine: Readonly<Record<string, string>>;
  /** By program. */
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly writtenAt: string;
  readonly isInterrupted: boolean;
  /** What was replaced in somebody's own file; one sentence each. */
  readonly replaced?: readonly string[];
}

/** Everything that a report shows. */
export interface ReportModel {
  readonly info: ReportInfo;
  readonly experiments: readonly ExperimentModel[];
}

/** One experiment in a report. */
export interface ExperimentModel {
  readonly name: string;
  readonly question: string;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly limits: readonly KnownLimit[];
  /** None for somebody's own file. */
  readonly controls: readonly ControlModel[];
  /** Somebody's own file in place of envoy.yaml. */
  readonly file?: string;
  /** The run and those of its controls that there were, in order. */
  readonly runs: readonly RunModel[];
}

/** What is missing in a control, and the claims that must break. */
export interface ControlModel {
  readonly about: string;
  readonly breaks: readonly string[];
}

/** One run in a report. */
export interface RunModel extends Outcomes {
  readonly kind: "run" | "control";
  readonly startedAt: string;
  readonly isInterrupted: boolean;
  /** Settings by name, in words. */
  readonly settings: Readonly<Record<string, string>>;
  /** Milliseconds of the answered calls, by "p50", "p90", "p99", "max". */
  readonly latencyMs: Readonly<Record<string, number | null>>;
  readonly findings: readonly Finding[];
  readonly invariants: readonly Finding[];
  readonly comparisons: readonly Comparison[];
  readonly measures: History["measures"];
  readonly charts: Charts;
}

/** Curves by name; null where nothing is known. */
export type Lines = Readonly<Record<string, readonly (number | null)[]>>;

/** Numbers over time. All arrays are as long as `seconds`. */
export interface Charts {
  /** The middle of each interval, in seconds. */
  readonly seconds: readonly number[];
  /** Answered calls a second, by server; null after the load. */
  readonly perServer: Lines;
  /**
   * Failed calls a second, by whether they were meant to, and status; null
   * after the load.
   */
  readonly errors: Lines;
  /** Milliseconds; null where no call was answered. */
  readonly latencyMs: Lines;
  /** Servers, as Envoy last knew them; null before it was asked. */
  readonly servers: Lines;
  readonly marks: readonly {
    readonly label: string;
    readonly fromS: number;
    readonly toS: number;
  }[];
}

/** Width of an interval in the charts. */
const INTERVAL_MS = 500;

const PERCENTILES = { p50: 50, p90: 90, p99: 99, max: 100 } as const;

/** What a report shows of one experiment. */
export function experimentModel(result: Result): ExperimentModel {
  const { experiment, promise, controls, verdict, reasons, file } = result;
  return {
    name: experiment.name,
    question: experiment.question,
    verdict,
    reasons,
    limits: experiment.limits ?? [],
    controls: (file === undefined ? controlsOf(experiment) : [])
      .map(({ about, breaks }) => ({ about, breaks })),
    ...(file === undefined ? {} : { file }),
    runs: [
      runModel("run", promise, file),
      ...controls.map((run) => runModel("control", run)),
    ],
  };
}

function runModel(
  kind: RunModel["kind"],
  run: JudgedRun,
  file?: string,
): RunModel {
  const { history, findings, invariants } = run;
  const { calls } = history;
  const latencies = calls.filter((call) => !isFailed(call))
    .map(({ latencyMs }) => latencyMs);
  return {
    kind,
    startedAt: history.startedAt,
    isInterrupted: history.isInterrupted,
    settings: settingsOf(history, file),
    ...outcomesOf(calls),
    latencyMs: percentilesOf(latencies),
    findings,
    invariants,
    comparisons: reconciledIfKnown(history),
    measures: history.measures,
    charts: chartsOf(history),
  };
}

function percentilesOf(
  latencies: readonly number[],
): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(PERCENTILES).map(([name, percent]) => [
      name,
      percentile(latencies, percent) ?? null,
    ]),
  );
}

function settingsOf(
  { setup, load, seed }: History,
  file = "envoy.yaml",
): Record<string, string> {
  const changes = (setup.changes ?? []).map(({ name }) => name);
  return {
    servers: String(setup.servers),
    [`changes of ${file}`]: changes.join("; ") || "none",
    "further server flags": (setup.serverFlags ?? []).join(" ") || "none",
    "Envoy's workers": String(setup.concurrency ?? 1),
    load: `${load.ratePerS} calls/s for ${load.durationMs / 1000} s on ` +
      `${load.connections} connections, ${load.listener.toUpperCase()}`,
    "work per call": `${load.workMs} ms`,
    deadline: `${load.deadlineMs} ms`,
    seed: String(seed),
  };
}

/** The charts' numbers. */
export function chartsOf(history: History): Charts {
  const { calls, samples, events, durationMs, load } = history;
  const intervals = (ms: number) => Math.max(1, Math.round(ms / INTERVAL_MS));
  const count = intervals(durationMs);
  const loadMs = Math.min(load.durationMs, durationMs);
  // What is left behind the last whole interval is a part of the last one; were
  // it drawn for itself, or as long as others, the rate would seem to fall.
  const loadCount = intervals(loadMs);
  const intervalOf = ({ startMs }: CallRecord) =>
    Math.min(loadCount - 1, Math.max(0, Math.floor(startMs / INTERVAL_MS)));
  const lastMs = Math.max(1, loadMs - (loadCount - 1) * INTERVAL_MS);
  /** By name, as numbers a second. */
  const ratesOf = (
    some: readonly CallRecord[],
    nameOf: (call: CallRecord) => string,
  ): Lines =>
    Object.fromEntries(
      [...Map.groupBy(some, nameOf)]
        .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
        .map(([name, own]) => {
          const found = Map.groupBy(own, intervalOf);
          return [
            name,
            seconds.map((_, index) =>
              index >= loadCount
                ? null
                : (found.get(index)?.length ?? 0) * 1000 /
                  (index === loadCount - 1 ? lastMs : INTERVAL_MS)
            ),
          ];
        }),
    );
  const seconds = Array.from(
    { length: count },
    (_, index) => (index + 0.5) * INTERVAL_MS / 1000,
  );
  const failed = calls.filter(isFailed);
  const answered = calls.filter((call) => !isFailed(call));
  const answeredIn = Map.groupBy(answered, intervalOf);
  const servers = { healthy: "membership_healthy", all: "membership_total" };
  return {
    seconds,
    perServer: ratesOf(answered, ({ server }) => server || "?"),
    errors: ratesOf(
      failed,
      (call) => `${isLost(call) ? "lost" : "as meant"}: ${call.status}`,
    ),
    latencyMs: Object.fromEntries(
      Object.entries(PERCENTILES).map(([name, percent]) => [
        name,
        seconds.map((_, index) => {
          const own = answeredIn.get(index) ?? [];
          const valuesMs = own.map(({ latencyMs }) => latencyMs);
          return percentile(valuesMs, percent) ?? null;
        }),
      ]),
    ),
    servers: Object.fromEntries(
      Object.entries(servers).map(([name, stat]) => [
        name,
        seconds.map((_, index) =>
          samples.findLast(({ atMs }) => atMs < (index + 1) * INTERVAL_MS)
            ?.stats[stat] ?? null
        ),
      ]),
    ),
    marks: events.map(({ label, startMs, endMs }) => ({
      label,
      fromS: startMs / 1000,
      toS: endMs / 1000,
    })),
  };
}

/** The comparisons of the ledgers; none where the last counts could not be taken. */
function reconciledIfKnown(history: History): readonly Comparison[] {
  try {
    return reconcile(history);
  } catch (error) {
    if (!(error instanceof Unmeasured)) throw error;
    return [];
  }
}
