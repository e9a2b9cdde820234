/** Below the panic threshold Envoy calls servers that it knows are unhealthy. */
import { at } from "../../src/core/yaml.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { lostAtMost, statGrows } from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { CLUSTER, HEALTH_CHECK, RETRY_POLICY } from "./_paths.ts";
import text from "./05_panic.md" with { type: "text" };

const FAULT_AT_MS = 1000;

/** A health check's interval of 1 s, and a busy machine. */
const KNOWN_MS = 3500;

const DOWN = ["server-1", "server-2", "server-3"];

const BALANCING = [...CLUSTER, "common_lb_config"] as const;

const THRESHOLD = [...BALANCING, "healthy_panic_threshold", "value"] as const;

/** In percent; Envoy's default is 50. */
function thresholdOf(config: EnvoyConfig): number {
  return Number(at(config, ...THRESHOLD) ?? 50);
}

/** Lesson 5. */
export const panic: Lesson = {
  number: 5,
  name: "panic",
  title: "Three of four servers are unhealthy: who gets the calls?",
  minutes: 10,
  text,
  start: [{
    path: [...BALANCING, "healthy_panic_threshold"],
    value: undefined,
  }],
  solution: [{
    path: [...BALANCING, "healthy_panic_threshold"],
    value: { value: 0 },
  }],
  hints: [
    "Envoy knows which servers are unhealthy and calls them all the same: " +
    "what makes it distrust its own health checks?",
    "Below a certain share of healthy servers Envoy treats all as healthy, " +
    "which it calls panic: look for common_lb_config.",
    'Add "healthy_panic_threshold: { value: 0 }" to common_lb_config of the ' +
    'cluster "grpc-server"; the value is a percentage, and 0 means never.',
  ],
  check: {
    setup: { servers: 4, mayPanic: true },
    load: { ratePerS: 100, durationMs: 7000 },
    events: [{
      atMs: FAULT_AT_MS,
      label: "three of four report NOT_SERVING and fail every call",
      do: async ({ stack }) => {
        await Promise.all(DOWN.map((name) =>
          stack.fault(name, {
            kind: "status",
            durationMs: 60_000,
            isServing: false,
          })
        ));
      },
    }],
    claims: [
      {
        id: "lost",
        text: "once Envoy knows that three of four are unhealthy, no call " +
          "is lost",
        judge: lostAtMost(0, { fromMs: KNOWN_MS }),
        stillWrong: "One healthy server of four is less than the threshold " +
          "of 50 % that applies unless you set another, so Envoy panics and " +
          "calls the unhealthy ones, too",
      },
      {
        id: "panic",
        text: "Envoy does not panic",
        judge: statGrows("lb_healthy_panic", { max: 0 }),
        stillWrong: "Envoy panics: it sends calls to servers that have said " +
          "that they do not serve",
      },
    ],
  },
  mistakes: [
    {
      name: "a threshold that is still too high",
      edits: [{
        path: [...BALANCING, "healthy_panic_threshold"],
        value: { value: 30 },
      }],
      isIn: (config) =>
        at(config, ...THRESHOLD) !== undefined && thresholdOf(config) > 25,
      sentence: "healthy_panic_threshold is the percentage below which Envoy " +
        "panics, and one of four servers is 25 %: the threshold must not be " +
        "above that, and 0 switches panic off",
    },
    {
      name: "no calls at all in panic",
      edits: [{
        path: [...BALANCING, "zone_aware_lb_config"],
        value: { fail_traffic_on_panic: true },
      }],
      isIn: (config) =>
        at(
          config,
          ...[...BALANCING, "zone_aware_lb_config", "fail_traffic_on_panic"],
        ) === true,
      sentence: "fail_traffic_on_panic refuses every call in panic, although " +
        "one healthy server could answer them: do not panic instead",
    },
    {
      name: "more retries",
      edits: [{ path: [...RETRY_POLICY, "num_retries"], value: 3 }],
      isIn: (config) => Number(at(config, ...RETRY_POLICY, "num_retries")) > 2,
      sentence: "More retries find the healthy server in the end, but each " +
        "call is first sent to servers that Envoy knows are unhealthy: the " +
        "panic is still there",
    },
    {
      name: "more health checks",
      edits: [{ path: [...HEALTH_CHECK, "interval"], value: "0.2s" }],
      isIn: (config) => at(config, ...HEALTH_CHECK, "interval") !== "1s",
      sentence: "Envoy notices sooner and still does not act on it: the " +
        "checks are right, and panic overrules them",
    },
  ],
};
