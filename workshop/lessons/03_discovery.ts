/** A new server gets calls once Envoy has asked DNS for it. */
import { at } from "../../src/core/yaml.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import {
  allOf,
  broken,
  eventAtMs,
  heldIf,
  unknown,
} from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { noCallIsLost } from "../../experiments/_claims.ts";
import { CLUSTER, HEALTH_CHECK, secondsAt } from "./_paths.ts";
import text from "./03_discovery.md" with { type: "text" };

const SERVING = "server-3 and server-4 are up";

/** A query each second, a first health check, and a busy machine. */
const FIRST_CALL_MS_MAX = 4000;

function firstCallOn(server: string): Judge {
  return (history) => {
    const servingMs = eventAtMs(history, SERVING);
    if (servingMs === undefined) return unknown("the servers never came up");
    const first = history.calls.find((call) => call.server === server);
    if (first === undefined) return broken(`no call on ${server}`);
    const tookMs = Math.max(0, first.startMs - servingMs);
    return heldIf(
      tookMs <= FIRST_CALL_MS_MAX,
      `first call on ${server} after ${tookMs.toFixed(0)} ms`,
    );
  };
}

/** Whether new servers are still asked for once a minute. */
function isStillSlow(config: EnvoyConfig): boolean {
  return at(config, ...CLUSTER, "dns_refresh_rate") === "60s";
}

/** Lesson 3. */
export const discovery: Lesson = {
  number: 3,
  name: "discovery",
  title: "How soon does a new server get its share of the calls?",
  minutes: 10,
  text,
  start: [{ path: [...CLUSTER, "dns_refresh_rate"], value: "60s" }],
  solution: [{ path: [...CLUSTER, "dns_refresh_rate"], value: "1s" }],
  hints: [
    "The new servers run and could answer: how would Envoy learn that they " +
    "exist?",
    'In the cluster "grpc-server" the type STRICT_DNS means that Envoy asks ' +
    "DNS for addresses, again and again: look for how often.",
    'Set dns_refresh_rate of the cluster "grpc-server" to 1s.',
  ],
  check: {
    setup: { servers: 2 },
    load: { ratePerS: 100, durationMs: 8000 },
    events: [{
      atMs: 500,
      label: "scale 2 to 4",
      do: async (run) => {
        await run.stack.scale(4);
        run.mark(SERVING);
      },
    }],
    claims: [
      {
        ...noCallIsLost,
        stillWrong: "Calls are lost while servers are added, which must not " +
          "be noticed by anybody",
      },
      {
        id: "first",
        text: "both new servers answer within " +
          `${FIRST_CALL_MS_MAX / 1000} s of being up`,
        judge: allOf(firstCallOn("server-3"), firstCallOn("server-4")),
        stillWrong: "Two servers were added and wait for calls, because " +
          "Envoy asks DNS for new addresses too seldom",
      },
    ],
  },
  mistakes: [
    {
      name: "more health checks",
      edits: [{ path: [...HEALTH_CHECK, "interval"], value: "0.2s" }],
      isIn: (config) =>
        isStillSlow(config) &&
        at(config, ...HEALTH_CHECK, "interval") !== "1s",
      sentence: "Envoy checks the servers that it knows, and it does not yet " +
        "know the new ones: interval in health_checks cannot find them",
    },
    {
      name: "the rate after failures",
      edits: [{
        path: [...CLUSTER, "dns_failure_refresh_rate"],
        value: { base_interval: "0.1s", max_interval: "0.5s" },
      }],
      isIn: (config) =>
        isStillSlow(config) &&
        at(
            config,
            ...[...CLUSTER, "dns_failure_refresh_rate", "base_interval"],
          ) !== "0.5s",
      sentence: "dns_failure_refresh_rate is for queries that got no answer, " +
        "and these were all answered: the next one is due after " +
        "dns_refresh_rate",
    },
    {
      name: "calls before the first check",
      edits: [{
        path: [
          ...[...CLUSTER, "common_lb_config"],
          "ignore_new_hosts_until_first_hc",
        ],
        value: false,
      }],
      isIn: (config) =>
        isStillSlow(config) &&
        at(
            config,
            ...[...CLUSTER, "common_lb_config"],
            "ignore_new_hosts_until_first_hc",
          ) !== true,
      sentence: "A new server waits for its first health check at most a " +
        "second, and that is worth it; what takes a minute is to learn that " +
        "it exists",
    },
    {
      name: "not often enough",
      edits: [{ path: [...CLUSTER, "dns_refresh_rate"], value: "20s" }],
      isIn: (config) =>
        !isStillSlow(config) &&
        secondsAt(config, [...CLUSTER, "dns_refresh_rate"]) > 2,
      sentence: "dns_refresh_rate is still too long: a new server can wait " +
        "that long, and then for a health check; the default is 5s, and one " +
        "query a second is cheap",
    },
  ],
};
