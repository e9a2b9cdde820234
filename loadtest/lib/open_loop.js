// An open loop of unary calls: calls start at their time, whether or not the
// ones before have ended, so a slow server cannot slow the load down.
import { Counter, Rate, Trend } from "k6/metrics";
import { discoverServers } from "./discovery.js";
import { connectOnce, disconnect, sayHello, sayHelloLater } from "./greeter.js";
import { currentPhase, scenariosOf } from "./phases.js";
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
 * @param callsAtOnce How many calls start together on a VU's connection.
 * @param thresholds Further thresholds, by metric.
 * @param comment Makes further lines of the table of the report.
 */
export function openLoop({
  question,
  name,
  settings,
  phases,
  reconnects = false,
  callsAtOnce = 1,
  thresholds = {},
  comment = () => [],
}) {
  const slots = new Slots(settings);
  const options = {
    scenarios: scenariosOf(phases, settings.vus, 1 / callsAtOnce),
    summaryTrendStats: TREND_STATS,
    thresholds: {
      ...slots.thresholds(),
      calls: ["count>0"],
      errors: ["rate==0"],
      dropped_iterations: ["count==0"],
      "grpc_req_duration{measured:yes}": [
        `p(95)<${settings.p95Ms}`,
        `p(99)<${settings.p99Ms}`,
      ],
      ...phaseThresholds(phases),
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
      for (let call = 0; call < callsAtOnce; call += 1) {
        count(phase, names, { isOk: false, server: "" });
      }
      return;
    }
    const tags = tagsOf(phase);
    if (callsAtOnce === 1) count(phase, names, sayHello(settings, tags));
    else {
      const replies = Array.from(
        { length: callsAtOnce },
        () => sayHelloLater(settings, tags),
      );
      for (const reply of replies) count(phase, names, await reply);
    }
    if (reconnects) disconnect();
  }

  function handleSummary(data) {
    return summarize(data, { question, name, settings, phases, comment });
  }

  return { options, setup, run, handleSummary };
}

function tagsOf(phase) {
  return { phase: phase.name, measured: phase.isMeasured ? "yes" : "no" };
}

/**
 * The bounds of single phases. k6 keeps a phase's numbers apart only if a
 * threshold asks for them; one that always holds does that for the others.
 */
function phaseThresholds(phases) {
  const entries = phases.flatMap(({ name, p99Ms }) => [
    [
      `grpc_req_duration{phase:${name}}`,
      [p99Ms === undefined ? "p(99)>=0" : `p(99)<${p99Ms}`],
    ],
    [`errors{phase:${name}}`, ["rate>=0"]],
  ]);
  return Object.fromEntries(entries);
}
