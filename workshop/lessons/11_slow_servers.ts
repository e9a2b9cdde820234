/** One server is slow, and round robin goes on as if it were not. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster, routeAction } from "../../src/experiment/changes.ts";
import {
  latencyAtMost,
  lostAtMost,
  shareBetween,
  statGrows,
} from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { CLUSTER, RETRY_POLICY } from "./_paths.ts";
import text from "./11_slow_servers.md" with { type: "text" };

const SLOW = "server-2";
const SLOW_AT_MS = 500;
const DURATION_MS = 5500;

/** Least request needs a moment for calls to pile up. */
const window = { fromMs: SLOW_AT_MS + 1000, toMs: DURATION_MS };

export const slowServers: Lesson = {
  number: 11,
  name: "slow-servers",
  title: "How many calls does one slow server make slow?",
  minutes: 11,
  text,
  // envoy.yaml has ROUND_ROBIN, as nearly every configuration does.
  start: [],
  solution: [{ path: [...CLUSTER, "lb_policy"], value: "LEAST_REQUEST" }],
  hints: [
    "No call fails, so nothing that counts failures can help. What differs " +
    "between a slow and a fast server that Envoy can see?",
    "Calls in flight pile up on the slow server. One policy of balancing " +
    'looks at their number; the field is "lb_policy" of the cluster ' +
    '"grpc-server".',
    'Set "lb_policy" to LEAST_REQUEST.',
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 200, durationMs: DURATION_MS },
    events: [{
      atMs: SLOW_AT_MS,
      label: `${SLOW} 300 ms slower`,
      do: async ({ stack }) => {
        await stack.fault(SLOW, {
          kind: "delay",
          delayMs: 300,
          durationMs: 60_000,
        });
      },
    }],
    claims: [
      {
        id: "lost",
        text: "no call is lost",
        judge: lostAtMost(0),
        stillWrong: "Calls are lost, although every server answers",
      },
      {
        id: "once",
        text: "no call is made twice",
        judge: statGrows("upstream_rq_retry", { max: 0 }),
        stillWrong: "Calls run twice only because they are slow",
      },
      {
        id: "share",
        text: "the slow server gets at most 20 % of the calls",
        judge: shareBetween(SLOW, 0, 0.2, window),
        stillWrong: `${SLOW} is 300 ms slower and still gets its full share`,
      },
      {
        id: "latency",
        text: "80 % of the calls take at most 100 ms",
        judge: latencyAtMost(80, 100, window),
        stillWrong: "More than one call in five is slow",
      },
    ],
  },
  mistakes: [
    {
      name: "cut and retried",
      edits: [{
        path: [...RETRY_POLICY, "per_try_timeout"],
        value: "0.1s",
      }],
      isIn: (config) =>
        at(routeAction(config, "unary"), "retry_policy", "per_try_timeout") !==
          undefined,
      sentence:
        "A timeout for each attempt throws away what the slow server has begun, " +
        "and has it done again elsewhere: it still gets its share of attempts, " +
        "and the others get more work",
    },
    {
      name: "random",
      edits: [{ path: [...CLUSTER, "lb_policy"], value: "RANDOM" }],
      isIn: (config) => grpcCluster(config)["lb_policy"] === "RANDOM",
      sentence:
        "RANDOM knows no more about a server than round robin does: the slow " +
        "one gets a third of the calls, only less evenly",
    },
    {
      name: "ejection",
      edits: [{
        path: [...CLUSTER, "outlier_detection", "consecutive_gateway_failure"],
        value: 1,
      }],
      isIn: (config) =>
        at(
          grpcCluster(config),
          ...["outlier_detection", "consecutive_gateway_failure"],
        ) !== undefined,
      sentence:
        "Outlier detection counts failures, and a slow call does not fail: " +
        "Envoy ejects no server for being slow",
    },
    {
      name: "impatient health checks",
      edits: [{
        path: [...CLUSTER, "health_checks", 0, "timeout"],
        value: "0.1s",
      }],
      isIn: (config) =>
        at(grpcCluster(config), "health_checks", 0, "timeout") !== "0.5s",
      sentence:
        "A health check is a call of its own, and this server answers it at " +
        "once; only its greetings are slow",
    },
  ],
};
