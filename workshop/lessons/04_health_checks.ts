/** A health check asks for a service by the name that servers registered. */
import { at } from "../../src/core/yaml.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { lostAtMost, shareBetween } from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { CLUSTER, HEALTH_CHECK } from "./_paths.ts";
import text from "./04_health_checks.md" with { type: "text" };

/** Servers may start and be checked until then. */
const READY_MS = 2000;

const FAULT_AT_MS = 3500;

/** A health check's interval of 1 s, and a busy machine. */
const KNOWN_MS = FAULT_AT_MS + 2000;

const NAME = [...HEALTH_CHECK, "grpc_health_check", "service_name"] as const;

const PANIC = [
  ...[...CLUSTER, "common_lb_config", "healthy_panic_threshold", "value"],
] as const;

/** What the learner's file says at first. */
const FIRST_NAME = "grpc-server";

/** Whether the name is still one that no server has registered. */
function isUnknown(config: EnvoyConfig): boolean {
  const name = at(config, ...NAME);
  return typeof name === "string" && !["", "demo.v1.Greeter"].includes(name);
}

/** Lesson 4. */
export const healthChecks: Lesson = {
  number: 4,
  name: "health-checks",
  title: "All servers run, so why does every call fail?",
  minutes: 10,
  text,
  start: [{ path: NAME, value: FIRST_NAME }],
  solution: [{ path: NAME, value: "demo.v1.Greeter" }],
  hints: [
    "Envoy says that no server is healthy. What did it ask them, and what " +
    "did they answer?",
    "A gRPC health check asks about one service by name, and a server " +
    "answers NOT_FOUND for a name that it has not registered: look at " +
    "grpc_health_check.",
    "Set service_name to demo.v1.Greeter, the full name of the service as " +
    "in its .proto file.",
  ],
  check: {
    setup: { servers: 3, healthyAtStart: 0 },
    load: { ratePerS: 100, durationMs: 7500 },
    events: [{
      atMs: FAULT_AT_MS,
      label: "server-2 reports NOT_SERVING",
      do: async ({ stack }) => {
        await stack.fault("server-2", {
          kind: "health",
          durationMs: 60_000,
          isServing: false,
        });
      },
    }],
    claims: [
      {
        id: "lost",
        text: `no call is lost from ${READY_MS / 1000} s after the start on`,
        judge: lostAtMost(0, { fromMs: READY_MS }),
        stillWrong: "Calls fail although three servers run, because no " +
          "server passes its health check and Envoy calls none of them",
      },
      {
        id: "heeded",
        text: "a server that reports NOT_SERVING gets no call 2 s later",
        judge: shareBetween("server-2", 0, 0, { fromMs: KNOWN_MS }),
        stillWrong: "Calls succeed, but a server that says NOT_SERVING still " +
          "gets its share of them, so its health is not asked or not heeded",
      },
    ],
  },
  mistakes: [
    {
      name: "the program's name",
      edits: [{ path: NAME, value: "server-1" }],
      isIn: (config) => isUnknown(config) && at(config, ...NAME) !== FIRST_NAME,
      sentence: "service_name is not what a server's program, container or " +
        "host is called: it is the full name of a gRPC service, package " +
        "included, that the server has registered with its health service",
    },
    {
      name: "a longer timeout",
      edits: [{ path: [...HEALTH_CHECK, "timeout"], value: "5s" }],
      isIn: (config) =>
        isUnknown(config) && at(config, ...HEALTH_CHECK, "timeout") !== "0.5s",
      sentence: "The servers answer each check at once, with NOT_FOUND: " +
        "waiting longer for an answer that has come changes nothing",
    },
    {
      name: "a panic threshold that hides it",
      edits: [{ path: PANIC, value: 50 }],
      isIn: (config) => isUnknown(config) && at(config, ...PANIC) !== 0,
      sentence: "healthy_panic_threshold makes Envoy call servers whatever " +
        "their health, which hides that every check fails: a server that " +
        "says NOT_SERVING still gets calls",
    },
    {
      name: "only whether the port is open",
      edits: [
        { path: [...HEALTH_CHECK, "grpc_health_check"], value: undefined },
        { path: [...HEALTH_CHECK, "tcp_health_check"], value: {} },
      ],
      isIn: (config) =>
        at(config, ...HEALTH_CHECK, "tcp_health_check") !== undefined,
      sentence: "tcp_health_check asks only whether the port is open, and " +
        "that of a server that says NOT_SERVING is",
    },
  ],
};
