/** Turns results into what a report shows; pure. */
import type { KnownLimit, Verdict } from "../experiment/experiment.ts";
import type { Finding, JudgedRun, Result } from "../experiment/conduct.ts";
import { type History, Unmeasured } from "../experiment/history.ts";
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
  /** The kind of stack, for example "native". */
  readonly stack: string;
  /** The command line that repeats it. */
  readonly command: string;
  /** Facts about the machine, by name. */
  readonly machine: Readonly<Record<string, string>>;
  /** By program. */
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly writtenAt: string;
  readonly isInterrupted: boolean;
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
  readonly control: { readonly about: string; readonly breaks: string[] };
  /** The run and, if there was one, its control. */
  readonly runs: readonly RunModel[];
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

/** Numbers over time. All arrays are as long as `seconds`. */
export interface Charts {
  /** The middle of each interval, in seconds. */
  readonly seconds: readonly number[];
  /** Answered calls a second, by server. */
  readonly perServer: Readonly<Record<string, readonly number[]>>;
  /** Failed calls a second, by status and whether they failed as meant. */
  readonly errors: Readonly<Record<string, readonly number[]>>;
  /** Milliseconds; null where no call was answered. */
  readonly latencyMs: Readonly<Record<string, readonly (number | null)[]>>;
  /** Servers as Envoy last saw them; null before the first sample. */
  readonly servers: Readonly<Record<string, readonly (number | null)[]>>;
  readonly marks: readonly {
    readonly label: string;
    readonly fromS: number;
    readonly toS: number;
  }[];
}

/** Width of an interval in the charts. */
const INTERVAL_MS = 500;

const PERCENTILES = { p50: 50, p90: 90, p99: 99, max: 100 } as const;

/** Builds the report of one experiment. */
export function experimentModel(result: Result): ExperimentModel {
  const { experiment, promise, control, verdict, reasons } = result;
  return {
    name: experiment.name,
    question: experiment.question,
    verdict,
    reasons,
    limits: experiment.limits ?? [],
    control: {
      about: experiment.control.about,
      breaks: [...experiment.control.breaks],
    },
    runs: [
      runModel("run", promise),
      ...(control === undefined ? [] : [runModel("control", control)]),
    ],
  };
}

function runModel(kind: RunModel["kind"], run: JudgedRun): RunModel {
  const { history, findings, invariants } = run;
  const { calls } = history;
  const latencies = calls.filter((call) => !isFailed(call))
    .map(({ latencyMs }) => latencyMs);
  return {
    kind,
    startedAt: history.startedAt,
    isInterrupted: history.isInterrupted,
    settings: settingsOf(history),
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

function settingsOf({ setup, load, seed }: History): Record<string, string> {
  const changes = (setup.changes ?? []).map(({ name }) => name);
  return {
    servers: String(setup.servers),
    "changes of envoy.yaml": changes.join("; ") || "none",
    "further server flags": (setup.serverFlags ?? []).join(" ") || "none",
    "Envoy's workers": String(setup.concurrency ?? 1),
    load: `${load.ratePerS} calls/s for ${load.durationMs / 1000} s on ` +
      `${load.connections} connections, ${load.listener.toUpperCase()}`,
    "work per call": `${load.workMs} ms`,
    deadline: `${load.deadlineMs} ms`,
    seed: String(seed),
  };
}

/** Builds the numbers for the charts. */
export function chartsOf(history: History): Charts {
  const { calls, samples, events, durationMs } = history;
  const count = Math.max(1, Math.round(durationMs / INTERVAL_MS));
  const at = (ms: number) =>
    Math.min(count - 1, Math.max(0, Math.floor(ms / INTERVAL_MS)));
  const perServer: Record<string, number[]> = {};
  const errors: Record<string, number[]> = {};
  const latencies = Array.from({ length: count }, (): number[] => []);
  const add = (
    lines: Record<string, number[]>,
    name: string,
    index: number,
  ) => {
    const line = lines[name] ??= new Array<number>(count).fill(0);
    line[index] = (line[index] ?? 0) + 1000 / INTERVAL_MS;
  };
  for (const call of calls) {
    const index = at(call.startMs);
    if (isLost(call)) add(errors, `lost: ${call.status}`, index);
    else if (isFailed(call)) add(errors, `as meant: ${call.status}`, index);
    else {
      add(perServer, call.server || "?", index);
      latencies[index]?.push(call.latencyMs);
    }
  }
  const servers = { healthy: "membership_healthy", all: "membership_total" };
  return {
    seconds: latencies.map((_, index) => (index + 0.5) * INTERVAL_MS / 1000),
    perServer: sortedByName(perServer),
    errors: sortedByName(errors),
    latencyMs: Object.fromEntries(
      Object.entries(PERCENTILES).map(([name, percent]) => [
        name,
        latencies.map((values) => percentile(values, percent) ?? null),
      ]),
    ),
    servers: Object.fromEntries(
      Object.entries(servers).map(([name, stat]) => [
        name,
        latencies.map((_, index) =>
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

function sortedByName<T>(lines: Record<string, T>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(lines).sort(([a], [b]) =>
      a.localeCompare(b, "en", { numeric: true })
    ),
  );
}

/** Compares the ledgers; empty if the last counts could not be read. */
function reconciledIfKnown(history: History): readonly Comparison[] {
  try {
    return reconcile(history);
  } catch (error) {
    if (!(error instanceof Unmeasured)) throw error;
    return [];
  }
}
