// What a run has shown: one report, written as a table, as JSON and as HTML.
import { STATUS_PREFIX } from "./greeter.js";
import { htmlOf } from "./html.js";
import { droppedMetric, measuredCalls } from "./phases.js";
import { slotMetric } from "./slots.js";
import { textOf } from "./table.js";

/** Where reports go unless REPORT says otherwise; the folder is always there. */
const FOLDER = decodeURI(
  import.meta.resolve("../reports/").replace("file://", ""),
);

/** A run that ends this much too early was interrupted. */
const INTERRUPTED_MS = 500;

/** The value of `handleSummary`: what to print and which files to write. */
export function summarize(data, test) {
  // Set-up stopped the run, and k6 prints why.
  if (!data.setup_data) return {};
  const report = reportOf(data, test);
  report.comment = test.comment(report);
  const prefix = test.settings.report || `${FOLDER}${test.name}`;
  return {
    stdout: textOf(report, [`${prefix}.json`, `${prefix}.html`]),
    [`${prefix}.json`]: JSON.stringify(report, null, 2) + "\n",
    [`${prefix}.html`]: htmlOf(report),
  };
}

/** The report as a value; its fields are what the JSON file holds. */
function reportOf(data, test) {
  const { question, name, settings, phases, bounds, latencyMetric } = test;
  const { metrics, setup_data: { names } } = data;
  const value = (metric, field) => {
    const found = metrics[metric];
    return found === undefined ? 0 : found.values[field] || 0;
  };
  const measured = phases.filter(({ isMeasured }) => isMeasured);
  const seconds =
    measured.reduce((sum, { durationMs }) => sum + durationMs, 0) /
    1000;
  const isComplete = isCompleteRun(data.state.testRunDurationMs, phases);
  const askedCalls = measuredCalls(phases);
  const calls = value("calls", "count");
  const thresholds = thresholdsOf(metrics);
  return {
    question,
    script: `loadtest/${name}.js`,
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
      vus: settings.vus,
      workMs: settings.workMs,
    },
    achieved: {
      ratePerS: isComplete ? calls / seconds : null,
      calls,
      errors: value("errors", "passes"),
      dropped: value(droppedMetric(measured[0]), "count") *
        test.callsPerIteration,
      servers: value("servers_found", "value"),
    },
    ...sharesOf(value, names, settings.servers),
    latencyMs: latencyOf(metrics, `${latencyMetric}{measured:yes}`),
    connectMs: latencyOf(metrics, "connect_ms"),
    phases: phases.map((phase) => phaseReport(metrics, phase, latencyMetric)),
    // Of all calls, set-up and warm-up included; for reconciling.
    ledger: {
      callsSent: value("calls_sent", "count"),
      retries: value("retries", "count"),
      statuses: statusesOf(metrics),
    },
    thresholds,
  };
}

/** Whether the run was not interrupted; k6 waits for the last calls. */
function isCompleteRun(durationMs, phases) {
  const askedMs = phases.reduce((sum, phase) => sum + phase.durationMs, 0);
  return durationMs > askedMs - INTERRUPTED_MS;
}

/** A row for each slot; a slot without a server is a server that is missing. */
function sharesOf(value, names, count) {
  const even = 1 / count;
  const servers = Array.from({ length: count }, (_, slot) => {
    const share = value(slotMetric(slot), "rate");
    return {
      name: names[slot] || null,
      calls: value(slotMetric(slot), "passes"),
      share,
      deviation: (share - even) / even,
    };
  });
  return {
    servers,
    /** Replies of servers beyond the ones asked for, or new in the run. */
    otherCalls: value("share_other", "passes"),
    deviationMax: Math.max(
      ...servers.map(({ deviation }) => Math.abs(deviation)),
    ),
  };
}

function latencyOf(metrics, name) {
  const metric = metrics[name];
  if (metric === undefined || metric.values.count === 0) return null;
  const { values } = metric;
  return {
    count: values.count,
    min: values.min,
    p50: values.med,
    p90: values["p(90)"],
    p95: values["p(95)"],
    p99: values["p(99)"],
    max: values.max,
  };
}

function phaseReport(metrics, phase, latencyMetric) {
  const { name, ratePerS, durationMs, isMeasured, p99Ms } = phase;
  const errors = metrics[`errors{phase:${name}}`];
  return {
    name,
    isMeasured,
    askedRatePerS: ratePerS,
    seconds: durationMs / 1000,
    p99Ms: p99Ms === undefined ? null : p99Ms,
    errors: errors === undefined ? 0 : errors.values.passes,
    latencyMs: latencyOf(metrics, `${latencyMetric}{phase:${name}}`),
  };
}

function statusesOf(metrics) {
  const found = Object.entries(metrics)
    .filter(([name]) => name.startsWith(STATUS_PREFIX))
    .map(([name, { values }]) => [
      name.slice(STATUS_PREFIX.length),
      values.count,
    ]);
  return Object.fromEntries(found);
}

/** All thresholds, sorted, but those that only keep numbers apart. */
function thresholdsOf(metrics) {
  return Object.keys(metrics).sort().flatMap((metric) => {
    const { thresholds = {}, values } = metrics[metric];
    return Object.entries(thresholds)
      .filter(([condition]) => !condition.endsWith(">=0"))
      .map(([condition, { ok }]) => ({
        metric,
        condition,
        value: values[/^[^<>=!]+/.exec(condition)[0]],
        ok,
      }));
  });
}
