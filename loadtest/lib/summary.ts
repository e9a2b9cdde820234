// Turns k6's summary into the report, which others print, draw and compare.
import { htmlOf } from "../../src/core/load/html.ts";
import type {
  Latencies,
  LoadReport,
  PhaseReport,
  PinReport,
  ServerReport,
  ThresholdReport,
} from "../../src/core/load/report.ts";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { textOf } from "../../src/core/load/table.ts";
import type { Discovered } from "./discovery.ts";
import { STATUS_PREFIX } from "./greeter.ts";
import { droppedMetric, measuredCalls, type Phase, totalMs } from "./phases.ts";
import { REFERENCE_METRIC } from "./reference.ts";
import { slotMetric } from "./slots.ts";

/** A metric of k6 at the end of a run. */
interface Metric {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

type Metrics = Readonly<Record<string, Metric>>;

/** What k6 passes to `handleSummary`. */
export interface SummaryData {
  readonly metrics: Metrics;
  readonly state: { readonly testRunDurationMs: number };
  /** Missing if set-up aborted the run. */
  readonly setup_data?: Discovered;
}

/** What the summary needs to know about the load test. */
export interface SummaryInput {
  readonly question: string;
  readonly script: string;
  readonly settings: LoadSettings;
  readonly phases: readonly Phase[];
  readonly vus: number;
  readonly isPinned: boolean;
  readonly bounds: { readonly p95Ms: number; readonly p99Ms: number };
  readonly callsPerIteration: number;
  readonly latencyMetric: string;
  readonly comment: (report: LoadReport) => readonly string[];
}

/** Where reports go without REPORT; the folder always exists. */
const FOLDER = decodeURI(
  import.meta.resolve("../reports/").replace("file://", ""),
);

/** A run that ends earlier than this was interrupted. */
const INTERRUPTED_MS = 500;

/** The value of `handleSummary`: what to print, and files to write. */
export function summarize(
  data: SummaryData,
  test: SummaryInput,
): Record<string, string> {
  // Set-up aborted the run, and k6 prints why.
  if (!data.setup_data) return {};
  const made = reportOf(data, data.setup_data, test);
  const unread = test.settings.unread.map((name) =>
    `${name} is set, but ${test.script}.js does not read it`
  );
  const report = { ...made, comment: [...test.comment(made), ...unread] };
  const json = `${JSON.stringify(report, null, 2)}\n`;
  const { record, report: prefix } = test.settings;
  if (record !== "") return { [record]: json };
  const path = prefix === "" ? `${FOLDER}${test.script}` : prefix;
  const lines = [...textOf(report), `${path}.json`, `${path}.html`, ""];
  return {
    stdout: lines.join("\n"),
    [`${path}.json`]: json,
    [`${path}.html`]: htmlOf(report),
  };
}

/** The report, without its comment, which depends on the rest. */
function reportOf(
  data: SummaryData,
  found: Discovered,
  test: SummaryInput,
): LoadReport {
  const { question, script, settings, phases, bounds, latencyMetric } = test;
  const { metrics } = data;
  const value: Value = (metric, field) => metrics[metric]?.values[field] ?? 0;
  const measured = phases.filter(({ isMeasured }) => isMeasured);
  const seconds = totalMs(measured) / 1000;
  const isComplete = isCompleteRun(data.state.testRunDurationMs, phases);
  const askedCalls = measuredCalls(phases);
  const calls = value("calls", "count");
  const thresholds = thresholdsOf(metrics);
  const dropped = measured[0] === undefined
    ? 0
    : value(droppedMetric(measured[0]), "count");
  return {
    question,
    script: `loadtest/${script}.js`,
    target: settings.target,
    isComplete,
    passed: isComplete && thresholds.every(({ ok }) => ok),
    asked: {
      ratePerS: askedCalls / seconds,
      calls: askedCalls,
      seconds,
      warmupSeconds: settings.warmupMs / 1000,
      servers: settings.servers,
      tolerance: settings.tolerance,
      ...bounds,
      vus: test.vus,
      workMs: settings.workMs,
    },
    achieved: {
      ratePerS: isComplete ? calls / seconds : null,
      calls,
      errors: value("errors", "passes"),
      dropped: dropped * test.callsPerIteration,
      servers: value("servers_found", "value"),
    },
    ...sharesOf(value, found.names, settings.servers),
    pins: test.isPinned ? pinsOf(found, test) : null,
    latencyMs: latencyOf(metrics, `${latencyMetric}{measured:yes}`),
    connectMs: latencyOf(metrics, "connect_ms"),
    phases: phases.map((phase) => phaseReport(metrics, phase, latencyMetric)),
    ledger: {
      callsSent: value("calls_sent", "count"),
      retries: value("retries", "count"),
      statuses: statusesOf(metrics),
    },
    thresholds,
    reference: latencyOf(metrics, REFERENCE_METRIC),
    comment: [],
  };
}

/** A metric's field; 0 if there is none. */
type Value = (metric: string, field: string) => number;

function pinsOf(
  { l7Calls }: Discovered,
  { settings, vus }: SummaryInput,
): PinReport {
  return {
    connections: vus,
    l7: { target: settings.l7Target, calls: l7Calls ?? {} },
  };
}

/** Whether the run was not interrupted: k6 waits for the last calls. */
function isCompleteRun(
  durationMs: number,
  phases: readonly Phase[],
): boolean {
  return durationMs > totalMs(phases) - INTERRUPTED_MS;
}

/** A row for each slot; an empty slot is a missing server. */
function sharesOf(
  value: Value,
  names: readonly string[],
  count: number,
): Pick<LoadReport, "servers" | "otherCalls" | "deviationMax"> {
  const even = 1 / count;
  const servers = Array.from({ length: count }, (_, slot): ServerReport => {
    const share = value(slotMetric(slot), "rate");
    return {
      name: names[slot] ?? null,
      calls: value(slotMetric(slot), "passes"),
      share,
      deviation: (share - even) / even,
    };
  });
  return {
    servers,
    otherCalls: value("share_other", "passes"),
    deviationMax: Math.max(
      ...servers.map(({ deviation }) => Math.abs(deviation)),
    ),
  };
}

function latencyOf(metrics: Metrics, name: string): Latencies | null {
  const values = metrics[name]?.values ?? {};
  if (!values.count) return null;
  const value = (key: string) => values[key] ?? Number.NaN;
  return {
    count: values.count,
    min: value("min"),
    p50: value("med"),
    p90: value("p(90)"),
    p95: value("p(95)"),
    p99: value("p(99)"),
    max: value("max"),
  };
}

function phaseReport(
  metrics: Metrics,
  phase: Phase,
  latencyMetric: string,
): PhaseReport {
  const { name, ratePerS, durationMs, isMeasured, p99Ms } = phase;
  return {
    name,
    isMeasured,
    askedRatePerS: ratePerS,
    seconds: durationMs / 1000,
    p99Ms: p99Ms ?? null,
    errors: metrics[`errors{phase:${name}}`]?.values.passes ?? 0,
    latencyMs: latencyOf(metrics, `${latencyMetric}{phase:${name}}`),
  };
}

function statusesOf(metrics: Metrics): Record<string, number> {
  const found = Object.entries(metrics)
    .filter(([name]) => name.startsWith(STATUS_PREFIX))
    .map(([name, { values }]) => [
      name.slice(STATUS_PREFIX.length),
      values.count ?? 0,
    ]);
  return Object.fromEntries(found);
}

/** All thresholds, sorted, without those that only separate phases. */
function thresholdsOf(metrics: Metrics): readonly ThresholdReport[] {
  const sorted = Object.entries(metrics).sort(([a], [b]) => a < b ? -1 : 1);
  return sorted.flatMap(([metric, { thresholds = {}, values }]) => {
    return Object.entries(thresholds)
      .filter(([condition]) => !condition.endsWith(">=0"))
      .map(([condition, { ok }]) => ({
        metric,
        condition,
        ...valueOf(values, condition),
        ok,
      }));
  });
}

/** The value in a condition like "p(95)<50". */
function valueOf(
  values: Metric["values"],
  condition: string,
): { value?: number } {
  const value = values[/^[^<>=!]+/.exec(condition)?.[0] ?? ""];
  return value === undefined ? {} : { value };
}
