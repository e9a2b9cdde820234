/**
 * Two of three servers are killed at once.
 *
 * The hard part is before Envoy notices: a call may meet one dead server and
 * then the other, so it needs two retries. Afterwards the panic threshold alone
 * decides: with Envoy's default of 50 %, one healthy server of three means
 * panic, and the dead ones get calls again.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  type Experiment,
  healthyWithin,
  lostAtMost,
  type NamedChange,
  noOutlierDetection,
  panicThreshold,
  retries,
  routeAction,
  shareBetween,
} from "../src/experiment/authors.ts";
import { noPanic } from "./_claims.ts";

const KILL = "kill -9 server-1 and server-2";
const KILL_AT_MS = 1500;

/** A closed port is noticed within 1.25 s; a busy machine needs longer. */
const UNHEALTHY_MS_MAX = 1500;

/** Envoy is sampled every 250 ms. */
const ASKED_EVERY_MS = 250;

/**
 * Few calls meet a dead server, as five of them eject it; without that, as many
 * as until the health checks notice.
 */
const sameHost: NamedChange = {
  name: "a retry may go to the server that has just failed",
  apply: (config) => {
    const policy = partAt(routeAction(config, "unary"), "retry_policy");
    delete policy["retry_host_predicate"];
  },
};

export const twoOfThreeKilled: Experiment = {
  name: "two-of-three-killed",
  question: "Is a call lost when two of three servers are killed at once?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 6000, workMs: 20 },
  events: [{
    atMs: KILL_AT_MS,
    label: KILL,
    do: async ({ stack }) => {
      await Promise.all([
        stack.stop("server-1", "SIGKILL"),
        stack.stop("server-2", "SIGKILL"),
      ]);
    },
  }],
  claims: [
    {
      id: "lost",
      text: "before Envoy knows, no call is lost",
      judge: lostAtMost(0, { toMs: KILL_AT_MS + UNHEALTHY_MS_MAX }),
    },
    {
      id: "lost-later",
      text: "no call is lost once Envoy knows",
      judge: lostAtMost(0, { fromMs: KILL_AT_MS + UNHEALTHY_MS_MAX }),
    },
    {
      id: "noticed",
      text: `Envoy notices both within ${UNHEALTHY_MS_MAX} ms`,
      judge: healthyWithin(KILL, 1, UNHEALTHY_MS_MAX + ASKED_EVERY_MS),
    },
    {
      id: "survivor",
      text: "the survivor answers every later call",
      judge: shareBetween("server-3", 1, 1, {
        fromMs: KILL_AT_MS + UNHEALTHY_MS_MAX,
      }),
    },
    noPanic,
  ],
  control: {
    about: "one retry, and Envoy's default panic threshold of 50 %",
    changes: [retries(1), panicThreshold(50)],
    breaks: ["lost", "lost-later", "panic"],
  },
  furtherControls: [{
    about: `${sameHost.name}, no outlier detection`,
    changes: [sameHost, noOutlierDetection],
    load: { ratePerS: 100, durationMs: 3500 },
    breaks: ["lost"],
  }],
};
