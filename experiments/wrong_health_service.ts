/**
 * The health check names a service that no server has registered (a typo), so
 * every check fails with NOT_FOUND while all servers are fine.
 *
 * With a panic threshold of 0 nobody can miss it: nothing works. With Envoy's
 * default of 50 % all servers get calls in panic mode, everything seems to
 * work, and nobody notices that health checks are in effect off.
 *
 * A load balancer before Envoy asks Envoy itself, and must hear it, too. It does
 * if that answer depends on the servers, and not if Envoy alone gives it.
 */
import http2 from "node:http2";
import {
  connectionManager,
  type Experiment,
  healthCheckFields,
  heldIf,
  isFailed,
  type Judge,
  measuredBetween,
  type NamedChange,
  panicThreshold,
  percentile,
  type RunContext,
  unavailableIn,
  unknown,
} from "../src/experiment/authors.ts";
import type { Fields } from "../src/core/yaml.ts";

const REFUSED_MS_MAX = 50;

const HEALTH_PATH = "/healthz";

const ANSWER = "status of Envoy's own health";

/** Envoy itself is asked for its health on a path of the balanced listener. */
function ownHealth(name: string, fields: Fields): NamedChange {
  return {
    name,
    apply: (config) => {
      const filters = connectionManager(config)["http_filters"] as unknown[];
      filters.unshift({
        name: "envoy.filters.http.health_check",
        typed_config: {
          "@type":
            "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck",
          pass_through_mode: false,
          headers: [{ name: ":path", string_match: { exact: HEALTH_PATH } }],
          ...fields,
        },
      });
    },
  };
}

/** As a load balancer does, which speaks no gRPC. */
async function askEnvoy(run: RunContext): Promise<void> {
  run.addCalls(1);
  const session = http2.connect(`http://${run.stack.endpoint}`);
  try {
    const status = await new Promise<number>((resolve, reject) => {
      session.on("error", reject);
      const request = session.request({ ":path": HEALTH_PATH });
      request.on("error", reject);
      request.on("response", (head) => resolve(head[":status"] ?? 0));
      request.end();
    });
    run.measure(ANSWER, status);
  } finally {
    session.destroy();
  }
}

const wrongService = healthCheckFields("health checks name another service", {
  grpc_health_check: { service_name: "demo.v1.Greter" },
});

const byServers = ownHealth("Envoy is healthy if half of its servers are", {
  cluster_min_healthy_percentages: { "grpc-server": { value: 50 } },
});

const byItself = ownHealth("Envoy answers for its health by itself", {});

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
    changes: [wrongService, byServers],
  },
  load: { ratePerS: 100, durationMs: 3000 },
  events: [{ atMs: 100, label: "Envoy is asked", do: askEnvoy }],
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
    {
      id: "told",
      text: "Envoy says so to a load balancer that asks for its own health",
      judge: measuredBetween(ANSWER, { min: 503, max: 503 }),
    },
  ],
  control: {
    about: "Envoy's default panic threshold of 50 %",
    changes: [panicThreshold(50)],
    breaks: ["seen", "quick"],
  },
  furtherControls: [{
    about: byItself.name,
    setup: { changes: [wrongService, byItself] },
    load: { durationMs: 1000 },
    breaks: ["told"],
  }],
};
