/** A retry may repeat work that goes on, just when servers are slowest. */
import { at } from "../../src/core/yaml.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import { heldIf } from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { noCallIsLost } from "../../experiments/_claims.ts";
import { countOf } from "../../experiments/_claims.ts";
import { CLUSTER, RETRY_POLICY, routePath } from "./_paths.ts";
import text from "./08_price_of_retries.md" with { type: "text" };

const SLOW_MS = 300;

/** How many calls servers may start for each that callers make. */
const STARTED_A_CALL_MAX = 1.1;

const CUT_AFTER = "0.1s";

const PER_TRY = [...RETRY_POLICY, "per_try_timeout"] as const;

/** Servers start hardly more calls than callers make. */
const runsOnce: Judge = ({ calls, before, after }) => {
  const started = countOf(after, "started") - countOf(before, "started");
  return heldIf(
    started <= calls.length * STARTED_A_CALL_MAX,
    `servers started ${started} calls for ${calls.length} that were made`,
  );
};

/** Whether a slow call's tries are still cut. */
function isCut(config: EnvoyConfig): boolean {
  return at(config, ...PER_TRY) !== undefined;
}

/** Lesson 8. */
export const priceOfRetries: Lesson = {
  number: 8,
  name: "price-of-retries",
  title: "Servers get slow: do retries help them or finish them off?",
  minutes: 11,
  text,
  start: [{ path: PER_TRY, value: CUT_AFTER }],
  solution: [{ path: PER_TRY, value: undefined }],
  hints: [
    "Every server answers, after 0.3 s. Who gives up on it sooner than " +
    "that, and what happens to the call then?",
    'Look at the retry_policy of the route "unary": one field limits each ' +
    "try, and when it is over, the call is sent again.",
    "Remove per_try_timeout from that retry_policy; or set it well above " +
    "the longest that a call may take, such as 5s.",
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 60, durationMs: 6000 },
    events: [{
      atMs: 1000,
      label: `all servers need ${SLOW_MS} ms for a call`,
      do: async ({ stack }) => {
        await Promise.all(
          stack.servers().map(({ name }) =>
            stack.fault(name, {
              kind: "delay",
              delayMs: SLOW_MS,
              durationMs: 4000,
            })
          ),
        );
      },
    }],
    claims: [
      {
        id: "once",
        text: "servers start at most 11 calls for 10 that are made",
        judge: runsOnce,
        stillWrong: "Each slow call is given up and sent again while the " +
          "server is still at work on it, so slow servers get several times " +
          "the load",
      },
      {
        ...noCallIsLost,
        stillWrong: "Servers are only slow, yet calls are lost, because each " +
          "try is cut before the answer can come",
      },
    ],
  },
  mistakes: [
    {
      name: "more retries",
      edits: [{ path: [...RETRY_POLICY, "num_retries"], value: 5 }],
      isIn: (config) =>
        isCut(config) &&
        Number(at(config, ...RETRY_POLICY, "num_retries")) > 2,
      sentence: "Each further retry is cut like the first and is one more " +
        "call for servers that are already slow: do not cut the tries",
    },
    {
      name: "a longer limit for the whole call",
      edits: [{
        path: [...routePath("unary"), "max_stream_duration"],
        value: {
          max_stream_duration: "60s",
          grpc_timeout_header_max: "65s",
        },
      }],
      isIn: (config) =>
        isCut(config) &&
        at(
            config,
            ...[...routePath("unary"), "max_stream_duration"],
            "max_stream_duration",
          ) !== "15s",
      sentence: "max_stream_duration limits all tries together and was never " +
        "reached: what cuts each of them is per_try_timeout",
    },
    {
      name: "a smaller budget",
      edits: [{
        path: [
          ...[...CLUSTER, "circuit_breakers", "thresholds", 0],
          ...["retry_budget", "min_retry_concurrency"],
        ],
        value: 3,
      }],
      isIn: (config) =>
        isCut(config) &&
        at(
            config,
            ...[...CLUSTER, "circuit_breakers", "thresholds", 0],
            ...["retry_budget", "min_retry_concurrency"],
          ) !== 20,
      sentence: "A smaller retry budget stops the storm but not its cause: " +
        "slow calls are still cut, and most now fail at once",
    },
    {
      name: "a limit that is still too short",
      edits: [{ path: PER_TRY, value: "0.2s" }],
      isIn: (config) => isCut(config) && at(config, ...PER_TRY) !== CUT_AFTER,
      sentence: "per_try_timeout is still shorter than what a slow call " +
        "takes, 0.3 s and more on a busy machine: remove it, or leave a wide " +
        "margin",
    },
  ],
};
