/** A server is killed under load. */
import { partAt } from "../src/core/yaml.ts";
import {
  type Experiment,
  healthCheckFields,
  healthyWithin,
  type NamedChange,
  noHealthChecks,
  noOutlierDetection,
  noRetries,
  retries,
  routeAction,
  statGrows,
} from "../src/experiment/authors.ts";
import { killServer2, noCallIsLost } from "./_claims.ts";

/** envoy.yaml has an interval of 1 s and an edge interval of 0.25 s. */
const UNHEALTHY_MS_MAX = 1500;

/** A server that is killed answers no call, and so no status either. */
const onlyStatuses: NamedChange = {
  name: "retries only calls that end as UNAVAILABLE",
  apply: (config) => {
    const policy = partAt(routeAction(config, "unary"), "retry_policy");
    policy["retry_on"] = "unavailable";
  },
};

/** Long enough for the kill. */
const SHORT = { durationMs: 2500 };

export const killOne: Experiment = {
  name: "kill-one",
  question: "Is a call lost when a server is killed with kill -9?",
  isShort: true,
  isForDocker: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 5000, workMs: 20 },
  events: [killServer2],
  claims: [
    noCallIsLost,
    {
      id: "noticed",
      text:
        `Envoy notices within ${UNHEALTHY_MS_MAX} ms (sampled every 250 ms)`,
      judge: healthyWithin(killServer2.label, 2, UNHEALTHY_MS_MAX + 250),
    },
    {
      id: "retried",
      text: "calls in flight on it are retried",
      judge: statGrows("upstream_rq_retry", { min: 1 }),
    },
  ],
  control: {
    about: "no retries",
    changes: [noRetries],
    breaks: ["lost", "retried"],
  },
  furtherControls: [{
    about: "a retry policy with no retries",
    changes: [retries(0)],
    load: SHORT,
    breaks: ["lost", "retried"],
  }, {
    about: onlyStatuses.name,
    changes: [onlyStatuses],
    load: SHORT,
    breaks: ["lost", "retried"],
  }, {
    about: "idle servers are checked every 60 s, which is Envoy's default",
    changes: [
      healthCheckFields("idle servers checked every 60 s", {
        no_traffic_interval: "60s",
      }),
    ],
    load: { ratePerS: 0, durationMs: 4000 },
    breaks: ["noticed"],
  }, {
    about: "nothing that notices a dead server",
    changes: [noHealthChecks, noOutlierDetection],
    breaks: ["noticed"],
  }],
};
