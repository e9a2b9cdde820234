/**
 * The health check names a service that no server has registered (a typo), so
 * every check fails with NOT_FOUND while all servers are fine.
 *
 * With a panic threshold of 0 nobody can miss it: nothing works. With Envoy's
 * default of 50 % all servers get calls in panic mode, everything seems to
 * work, and nobody notices that health checks are in effect off.
 */
import {
  healthCheckFields,
  panicThreshold,
} from "../src/experiment/changes.ts";
import type { Experiment, Judge } from "../src/experiment/experiment.ts";
import {
  heldIf,
  isFailed,
  percentile,
  unavailableIn,
  unknown,
} from "../src/experiment/judge.ts";

const REFUSED_MS_MAX = 50;

/** Every call is refused, so the mistake shows. */
const isSeen: Judge = ({ calls }) => {
  if (calls.length === 0) return unknown("no call was made");
  const refused = calls.filter(isFailed).length;
  return heldIf(
    refused === calls.length,
    `${refused} of ${calls.length} calls failed`,
  );
};

/** The refusals are quick. */
const isQuick: Judge = ({ calls }) => {
  const refused = calls.filter(({ status }) => status === "UNAVAILABLE");
  const valueMs = percentile(refused.map(({ latencyMs }) => latencyMs), 95);
  return heldIf(
    valueMs !== undefined && valueMs <= REFUSED_MS_MAX,
    valueMs === undefined
      ? "no call was refused"
      : `p95 ${valueMs.toFixed(1)} ms of ${refused.length} refused calls`,
  );
};

/** Envoy says that no server is healthy. */
const isReported: Judge = ({ samples }) => {
  const most = Math.max(
    ...samples.map(({ stats }) => stats["membership_healthy"] ?? 0),
  );
  if (samples.length === 0) return unknown("Envoy was not asked");
  return heldIf(most === 0, `at most ${most} servers healthy`);
};

export const wrongHealthService: Experiment = {
  name: "wrong-health-service",
  question: "Does it show when health checks name a service that nobody has?",
  isShort: true,
  isOfOwnSettings: true,
  setup: {
    servers: 3,
    healthyAtStart: 0,
    changes: [
      healthCheckFields("health checks name another service", {
        grpc_health_check: { service_name: "demo.v1.Greter" },
      }),
    ],
  },
  load: { ratePerS: 100, durationMs: 3000 },
  events: [],
  isMeantToFail: unavailableIn(),
  claims: [
    { id: "seen", text: "every call is refused", judge: isSeen },
    {
      id: "quick",
      text: `95 % of the refusals take at most ${REFUSED_MS_MAX} ms`,
      judge: isQuick,
    },
    {
      id: "reported",
      text: "Envoy reports that no server is healthy",
      judge: isReported,
    },
  ],
  control: {
    about: "Envoy's default panic threshold of 50 %",
    changes: [panicThreshold(50)],
    breaks: ["seen", "quick"],
  },
};
