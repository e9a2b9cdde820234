// An open loop of unary calls: calls start at their time, whether or not the
// ones before have ended, so a slow server cannot slow the load down.
import { Counter, Rate, Trend } from "k6/metrics";
import { discoverServers } from "./discovery.js";
import { connectOnce, disconnect, sayHello } from "./greeter.js";
import {
  currentPhase,
  droppedMetric,
  measuredCalls,
  scenariosOf,
} from "./phases.js";
import { Slots } from "./slots.js";
import { summarize } from "./summary.js";

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

/**
 * A load test as k6 wants it: `options`, `setup`, `run` (the default export)
 * and `handleSummary`.
 *
 * @param question What the run answers; the report's title.
 * @param name The script's name without ".js"; the report's file.
 * @param settings What `readSettings` returned.
 * @param phases See phases.js.
 * @param reconnects Whether each call has a connection of its own.
 * @param perform Makes the calls of one iteration, given the settings and the
 * tags of k6's metrics: a promise of a result for each, as `sayHello` returns.
 * @param callsPerIteration How many calls that are.
 * @param latencyMetric The metric of their latency.
 * @param bounds Bounds of the latency of the whole; the settings' by default.
 * @param thresholds Further thresholds, by metric.
 * @param comment Makes further lines of the table of the report.
 */
export function openLoop({
  question,
  name,
  settings,
  phases,
  reconnects = false,
  perform = (given, tags) => [sayHello(given, tags)],
  callsPerIteration = 1,
  latencyMetric = "grpc_req_duration",
  bounds = { p95Ms: settings.p95Ms, p99Ms: settings.p99Ms },
  thresholds = {},
  comment = () => [],
}) {
  requireEnoughCalls(settings, phases);
  const slots = new Slots(settings);
  const options = {
    scenarios: scenariosOf(phases, settings.vus, 1 / callsPerIteration),
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

  function setup() {
    const names = discoverServers(settings);
    slots.noteFound(names.length);
    return { names };
  }

  function count(phase, names, { isOk, server }) {
    if (!phase.isMeasured) return;
    calls.add(1);
    errors.add(!isOk, { phase: phase.name });
    if (isOk) slots.count(server, names);
  }

  function connect(phase) {
    const startedAtMs = Date.now();
    try {
      connectOnce(settings.target);
    } catch {
      return false; // The next iteration tries again.
    }
    if (reconnects) connectMs.add(Date.now() - startedAtMs, tagsOf(phase));
    return true;
  }

  async function run({ names }) {
    const phase = currentPhase(phases);
    if (!connect(phase)) {
      for (let call = 0; call < callsPerIteration; call += 1) {
        count(phase, names, { isOk: false, server: "" });
      }
      return;
    }
    const results = await perform(settings, tagsOf(phase));
    for (const result of results) count(phase, names, result);
    if (reconnects) disconnect();
  }

  function handleSummary(data) {
    return summarize(data, {
      question,
      name,
      settings,
      phases,
      bounds,
      callsPerIteration,
      latencyMetric,
      comment,
    });
  }

  return { options, setup, run, handleSummary };
}

/** No call of a scenario that is measured may be left out. */
function droppedThresholds(phases) {
  const measured = phases.filter(({ isMeasured }) => isMeasured);
  return Object.fromEntries(
    measured.map((phase) => [droppedMetric(phase), ["count==0"]]),
  );
}

/** A share is counted in calls: the tolerance must be at least one of them. */
function requireEnoughCalls({ servers, tolerance, problems }, phases) {
  const calls = measuredCalls(phases);
  if (tolerance * calls / servers >= 1) return;
  problems.push(
    `TOLERANCE ${tolerance} is less than one of the ${
      Math.floor(calls / servers)
    } calls that each server gets; raise RATE, DURATION or TOLERANCE`,
  );
}

function tagsOf(phase) {
  return { phase: phase.name, measured: phase.isMeasured ? "yes" : "no" };
}

/**
 * The bounds of single phases. k6 keeps a phase's numbers apart only if a
 * threshold asks for them; one that always holds does that for the others.
 */
function phaseThresholds(phases, latencyMetric) {
  const entries = phases.flatMap(({ name, p99Ms }) => [
    [
      `${latencyMetric}{phase:${name}}`,
      [p99Ms === undefined ? "p(99)>=0" : `p(99)<${p99Ms}`],
    ],
    [`errors{phase:${name}}`, ["rate>=0"]],
  ]);
  return Object.fromEntries(entries);
}
