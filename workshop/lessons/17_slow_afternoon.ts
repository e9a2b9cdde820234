/** Servers were slow for a moment, and retries made an outage of it. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster, routeAction } from "../../src/experiment/changes.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import {
  callsIn,
  heldIf,
  lostAtMost,
  unavailableIn,
  unknown,
} from "../../src/experiment/judge.ts";
import type { RunContext } from "../../src/experiment/run_context.ts";
import type { Edit, Lesson } from "../../src/lesson/lesson.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { CLUSTER, RETRY_POLICY } from "./_paths.ts";
import text from "./17_slow_afternoon.md" with { type: "text" };

const SLOW_AT_MS = 500;
const SLOW_MS = 2500;

const FAILING_AT_MS = 4000;
const FAILING_MS = 2000;

/** The fault reaches the servers a moment later, one after another. */
const FAILING_END_MS = FAILING_AT_MS + FAILING_MS + 500;
const DURATION_MS = 8000;

/**
 * At 150 calls a second of 0.2 s, 30 are in flight; the budget of 20 retries at
 * a time makes 100 a second, or 1.67 attempts a call.
 */
const ATTEMPTS_MAX = 2.2;

const POLICY = RETRY_POLICY;
const THRESHOLDS = [...CLUSTER, "circuit_breakers", "thresholds"];

async function slowAll(
  { stack }: RunContext,
  delayMs: number,
  durationMs: number,
): Promise<void> {
  await Promise.all(
    stack.servers().map(({ name }) =>
      stack.fault(name, { kind: "delay", delayMs, durationMs })
    ),
  );
}

/** All servers are slow and answer UNAVAILABLE. */
async function failAll(run: RunContext): Promise<void> {
  await slowAll(run, 200, FAILING_MS);
  await Promise.all(
    run.stack.servers().map(({ name }) =>
      run.stack.fault(name, { kind: "status", durationMs: FAILING_MS })
    ),
  );
}

/** The attempts for each call while all servers failed. */
const attemptsACall: Judge = (history) => {
  const calls = callsIn(history, {
    fromMs: FAILING_AT_MS + 300,
    toMs: FAILING_AT_MS + FAILING_MS - 700,
  }).filter(({ attempts }) => attempts > 0);
  if (calls.length < 50) return unknown(`only ${calls.length} calls`);
  const sum = calls.reduce((sum, { attempts }) => sum + attempts, 0);
  const perCall = sum / calls.length;
  return heldIf(
    perCall <= ATTEMPTS_MAX,
    `${perCall.toFixed(2)} attempts for each call`,
  );
};

/** What a file has of the settings that were wrong. */
function settings(config: EnvoyConfig): {
  readonly isImpatient: boolean;
  readonly hasBudget: boolean;
} {
  const threshold = at(
    grpcCluster(config),
    ...["circuit_breakers", "thresholds", 0],
  );
  return {
    isImpatient:
      at(routeAction(config, "unary"), "retry_policy", "per_try_timeout") !==
        undefined,
    hasBudget: at(threshold, "retry_budget") !== undefined ||
      Number(at(threshold, "max_retries") ?? 3) <= 20,
  };
}

const SOLUTION: readonly Edit[] = [
  { path: [...POLICY, "per_try_timeout"], value: undefined },
  { path: [...POLICY, "num_retries"], value: 2 },
  {
    path: THRESHOLDS,
    value: [
      {
        max_requests: 512,
        retry_budget: {
          budget_percent: { value: 20 },
          min_retry_concurrency: 20,
        },
      },
      { priority: "HIGH", max_requests: 256 },
    ],
  },
];

export const slowAfternoon: Lesson = {
  number: 17,
  name: "slow-afternoon",
  title: "How did a slow afternoon become an outage?",
  isIncident: true,
  minutes: 20,
  text,
  start: [
    { path: [...POLICY, "per_try_timeout"], value: "0.25s" },
    { path: [...POLICY, "num_retries"], value: 5 },
    {
      path: THRESHOLDS,
      value: [
        { max_requests: 1024, max_retries: 1024 },
        { priority: "HIGH", max_requests: 256 },
      ],
    },
  ],
  solution: SOLUTION,
  hints: [
    "Two questions, one for each part of the afternoon: why does a call that " +
    "needs 0.5 s fail, when its caller waits for 2 s? And how many calls " +
    "reach the servers for each call that a user makes?",
    'Both answers are about retries. In the route "unary" look for what ends ' +
    'an attempt and for how many there are; in the cluster\'s "thresholds" ' +
    "for what bounds all retries together.",
    'Remove "per_try_timeout", set "num_retries: 2", and replace ' +
    '"max_retries" with "retry_budget: { budget_percent: { value: 20 }, ' +
    'min_retry_concurrency: 20 }".',
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 150, durationMs: DURATION_MS },
    events: [
      {
        atMs: SLOW_AT_MS,
        label: "every call takes 0.5 s longer",
        do: (run) => slowAll(run, 500, SLOW_MS),
      },
      {
        atMs: FAILING_AT_MS,
        label: "all servers fail slowly",
        do: failAll,
      },
    ],
    isMeantToFail: unavailableIn({
      fromMs: FAILING_AT_MS,
      toMs: FAILING_END_MS,
    }),
    claims: [
      {
        id: "slow",
        text: "no call is lost while the servers are only slow",
        judge: lostAtMost(0, { toMs: FAILING_AT_MS - 500 }),
        stillWrong:
          "Calls fail while the servers are only slow: they answer after 0.5 " +
          "s, and every caller waits for 2 s",
      },
      {
        id: "attempts",
        text: `when all servers fail, a call is made at most ${ATTEMPTS_MAX} ` +
          "times on average",
        judge: attemptsACall,
        stillWrong: "When all servers fail, retries multiply the load on them",
      },
      {
        id: "recovery",
        text: "no call is lost once the servers have recovered",
        judge: lostAtMost(0, { fromMs: FAILING_END_MS }),
        stillWrong: "Calls fail after the servers have recovered",
      },
    ],
  },
  mistakes: [
    {
      name: "only a budget",
      edits: [{
        path: [...THRESHOLDS, 0],
        value: {
          max_requests: 512,
          retry_budget: {
            budget_percent: { value: 20 },
            min_retry_concurrency: 20,
          },
        },
      }],
      isIn: (config) => {
        const { isImpatient, hasBudget } = settings(config);
        return isImpatient && hasBudget;
      },
      sentence: "The storm is bounded now, but each attempt still ends after " +
        '"per_try_timeout", which is shorter than a slow call takes: no ' +
        "number of attempts can succeed",
    },
    {
      name: "only patience",
      edits: [{ path: [...POLICY, "per_try_timeout"], value: undefined }],
      isIn: (config) => {
        const { isImpatient, hasBudget } = settings(config);
        return !isImpatient && !hasBudget;
      },
      sentence:
        "Slow calls get their answer now, but when all servers fail nothing " +
        "bounds the retries together: each call is made several times, to " +
        "servers that can do least",
    },
    {
      name: "only fewer retries",
      edits: [{ path: [...POLICY, "num_retries"], value: 1 }],
      isIn: (config) => {
        const retries = Number(
          at(routeAction(config, "unary"), "retry_policy", "num_retries"),
        );
        return settings(config).isImpatient && retries < 5;
      },
      sentence:
        "Fewer attempts are a smaller storm, but each attempt still ends " +
        'after "per_try_timeout", before a slow server can answer',
    },
    {
      name: "a lower circuit breaker",
      edits: [{ path: [...THRESHOLDS, 0, "max_requests"], value: 50 }],
      isIn: (config) =>
        Number(
          at(
            grpcCluster(config),
            ...["circuit_breakers", "thresholds", 0, "max_requests"],
          ) ?? 1024,
        ) < 150,
      sentence:
        "A lower limit of calls in flight refuses users' calls so that there " +
        "is room for retries that cannot succeed",
    },
    {
      name: "everybody ejected",
      edits: [
        ...SOLUTION,
        {
          path: [...CLUSTER, "outlier_detection", "max_ejection_percent"],
          value: 100,
        },
      ],
      isIn: (config) =>
        Number(
          at(
            grpcCluster(config),
            ...["outlier_detection", "max_ejection_percent"],
          ),
        ) >= 100,
      sentence:
        "With a cap of 100 % Envoy ejects all servers when all fail, so calls " +
        "go on failing after the servers have recovered, until an ejection " +
        "ends",
    },
  ],
};
