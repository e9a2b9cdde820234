/** The limit of calls in flight is Envoy's default, far above the servers'. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster } from "../../src/experiment/changes.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import {
  callsIn,
  heldIf,
  isFailed,
  lossWords,
  percentile,
} from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { CLUSTER } from "./_paths.ts";
import text from "./10_circuit_breaking.md" with { type: "text" };

/** What all three servers together are meant to work on at a time. */
const CALLS_MAX = 60;

/** A busy moment of a quiet hour: 150 calls a second of 0.1 s, and a margin. */
const QUIET_WORK_MS = 100;

const SLOW_AT_MS = 1500;
const SLOW_MS = 2500;

/** Calls of the slow time have ended by then. */
const QUIET_AGAIN_MS = 5500;
const DURATION_MS = 6500;

const REFUSED_MS_MAX = 100;

const BREAKERS = [...CLUSTER, "circuit_breakers", "thresholds", 0];

function breaker(config: EnvoyConfig, field: string): unknown {
  return at(grpcCluster(config), "circuit_breakers", "thresholds", 0, field);
}

/** The servers never have more calls than they are made for. */
const staysBelow: Judge = ({ samples }) => {
  const inFlight = samples.map(({ hosts }) =>
    hosts.reduce((sum, { rqActive }) => sum + rqActive, 0)
  );
  const most = Math.max(0, ...inFlight);
  return heldIf(
    most > 0 && most <= CALLS_MAX,
    `${most} calls in flight on three servers`,
  );
};

/** No call is refused while the servers are as fast as usual. */
const passesQuiet: Judge = (history) => {
  const calls = [
    ...callsIn(history, { toMs: SLOW_AT_MS }),
    ...callsIn(history, { fromMs: QUIET_AGAIN_MS }),
  ];
  return heldIf(
    calls.length > 0 && calls.every((call) => !isFailed(call)),
    lossWords(calls),
  );
};

/** What is refused is refused at once. */
const refusesFast: Judge = ({ calls }) => {
  const refused = calls.filter(({ isOverloaded }) => isOverloaded);
  const p99Ms = percentile(refused.map(({ latencyMs }) => latencyMs), 99) ?? 0;
  return heldIf(
    refused.length > 0 && p99Ms <= REFUSED_MS_MAX,
    `${refused.length} calls refused, 99 % of them within ` +
      `${p99Ms.toFixed(0)} ms`,
  );
};

export const circuitBreaking: Lesson = {
  number: 10,
  name: "circuit-breaking",
  title: "How many calls at a time reach servers that have become slow?",
  minutes: 11,
  text,
  start: [{ path: [...BREAKERS, "max_requests"], value: 1024 }],
  solution: [{ path: [...BREAKERS, "max_requests"], value: 60 }],
  hints: [
    "Calls a second times seconds a call is the number of calls in flight. " +
    "Work it out for a quiet and for a slow moment, and ask what in the file " +
    "limits it.",
    'In "clusters", at "grpc-server", the part is "circuit_breakers". Its ' +
    "first threshold is for unary calls, and one of its fields counts calls " +
    "in flight.",
    'Set "max_requests" of the first threshold to 60, the calls that three ' +
    "servers are made for; all servers share this number.",
  ],
  check: {
    setup: { servers: 3 },
    load: {
      ratePerS: 150,
      durationMs: DURATION_MS,
      workMs: QUIET_WORK_MS,
      deadlineMs: 5000,
    },
    events: [{
      atMs: SLOW_AT_MS,
      label: "every call takes a second longer",
      do: async ({ stack }) => {
        await Promise.all(
          stack.servers().map(({ name }) =>
            stack.fault(name, {
              kind: "delay",
              delayMs: 1000,
              durationMs: SLOW_MS,
            })
          ),
        );
      },
    }],
    isMeantToFail: ({ isOverloaded, startMs }) =>
      isOverloaded && startMs >= SLOW_AT_MS && startMs < QUIET_AGAIN_MS,
    claims: [
      {
        id: "quiet",
        text: "no call is refused while calls take 0.1 s",
        judge: passesQuiet,
        stillWrong:
          "The limit is too low: calls are refused although the servers are " +
          "as fast as usual",
      },
      {
        id: "limit",
        text: `the servers never work on more than ${CALLS_MAX} calls`,
        judge: staysBelow,
        stillWrong: "The slow servers get more calls at a time than the " +
          `${CALLS_MAX} that they are made for`,
      },
      {
        id: "refused",
        text: "the calls above that are refused at once",
        judge: refusesFast,
        stillWrong: "Calls above the limit are not refused at once",
      },
    ],
  },
  mistakes: [
    {
      name: "a limit for connections",
      edits: [{ path: [...BREAKERS, "max_connections"], value: 60 }],
      isIn: (config) => breaker(config, "max_connections") !== undefined,
      sentence:
        '"max_connections" limits connections, and Envoy sends all HTTP/2 ' +
        "calls for a server on one; what has to be limited is calls in flight",
    },
    {
      name: "a limit for waiting calls only",
      edits: [{ path: [...BREAKERS, "max_pending_requests"], value: 60 }],
      isIn: (config) =>
        breaker(config, "max_pending_requests") !== 256 &&
        Number(breaker(config, "max_requests") ?? 1024) > CALLS_MAX,
      sentence:
        '"max_pending_requests" limits the calls that wait for a connection, ' +
        "and with HTTP/2 hardly any call waits; those on a server count as " +
        '"max_requests"',
    },
    {
      name: "the threshold of streams",
      edits: [{
        path: [...CLUSTER, "circuit_breakers", "thresholds", 1, "max_requests"],
        value: 60,
      }],
      isIn: (config) =>
        at(grpcCluster(config), "circuit_breakers", "thresholds", 1) !==
          undefined &&
        at(
            grpcCluster(config),
            ...["circuit_breakers", "thresholds", 1, "max_requests"],
          ) !== 256,
      sentence:
        "This threshold has the priority HIGH, which only streams use here; " +
        "unary calls go by the first one",
    },
    {
      name: "a limit far too low",
      edits: [{ path: [...BREAKERS, "max_requests"], value: 10 }],
      isIn: (config) => Number(breaker(config, "max_requests")) < 30,
      sentence:
        "This limit holds for all servers together, and a quiet moment alone " +
        "has about 15 calls in flight, so the limit now refuses calls of " +
        "every day",
    },
  ],
};
