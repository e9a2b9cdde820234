/** Two servers join three under load. */
import { partAt } from "../src/core/yaml.ts";
import {
  allOf,
  broken,
  type Claim,
  clusterFields,
  eventAtMs,
  type Experiment,
  grpcCluster,
  healthCheckFields,
  heldIf,
  type Judge,
  type NamedChange,
  panicThreshold,
  shareBetween,
  unknown,
} from "../src/experiment/authors.ts";
import { noCallIsLost, noPanic } from "./_claims.ts";

const SERVING = "server-4 and server-5 are up";

/** Discovery runs every second, and a new server needs one passing check. */
const FIRST_CALL_MS_MAX = 3000;

/** The shares count from here to the end of the run. */
const BALANCE_FROM_MS = 6000;

function firstCallWithin(server: string): Judge {
  return (history) => {
    const servingMs = eventAtMs(history, SERVING);
    if (servingMs === undefined) return unknown("the servers never came up");
    const first = history.calls.find((call) => call.server === server);
    if (first === undefined) return broken(`no call on ${server}`);
    const tookMs = first.startMs - servingMs;
    return heldIf(
      tookMs <= FIRST_CALL_MS_MAX,
      `first call on ${server} after ${tookMs.toFixed(0)} ms`,
    );
  };
}

const countUnchecked: NamedChange = {
  name: "new servers count before their first check",
  apply: (config) => {
    const balancing = partAt(grpcCluster(config), "common_lb_config");
    delete balancing["ignore_new_hosts_until_first_hc"];
  },
};

/** As that of a server that is not ready when DNS names it. */
const firstCheckLater = healthCheckFields("first check within 1 s", {
  initial_jitter: "1s",
});

/** Each of five servers gets its share from some moment on. */
export function balancedFrom(fromMs: number): Claim {
  const isFair = (number: number) =>
    shareBetween(`server-${number}`, 0.2 * 0.98, 0.2 * 1.02, { fromMs });
  return {
    id: "balance",
    text: "each of five servers gets a fifth of the calls, within 2 %",
    judge: allOf(...[1, 2, 3, 4, 5].map(isFair)),
  };
}

export const scaleUp: Experiment = {
  name: "scale-up",
  question: "How soon do two new servers get their share of the calls?",
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 10_000 },
  events: [{
    atMs: 1000,
    label: "scale 3 to 5",
    do: async (run) => {
      await run.stack.scale(5);
      run.mark(SERVING);
    },
  }],
  claims: [
    noCallIsLost,
    noPanic,
    {
      id: "first",
      text: `both answer within ${FIRST_CALL_MS_MAX} ms of being up`,
      judge: allOf(firstCallWithin("server-4"), firstCallWithin("server-5")),
    },
    balancedFrom(BALANCE_FROM_MS),
  ],
  control: {
    about: "Envoy resolves the servers' addresses once a minute",
    changes: [
      clusterFields("discovery every 60 s", { dns_refresh_rate: "60s" }),
    ],
    breaks: ["first", "balance"],
  },
  furtherControls: [{
    about: "Envoy asks again when an answer has expired, here after 600 s",
    changes: [
      clusterFields("the TTL of an answer decides", { respect_dns_ttl: true }),
    ],
    load: { durationMs: 6500 },
    breaks: ["first"],
  }, {
    about: "new servers count before their first check, and Envoy may panic",
    setup: { servers: 1 },
    changes: [countUnchecked, firstCheckLater, panicThreshold(50)],
    load: { durationMs: 4000 },
    events: [{
      atMs: 1000,
      label: "scale 1 to 3",
      do: ({ stack }) => stack.scale(3),
    }],
    breaks: ["panic"],
  }],
};
