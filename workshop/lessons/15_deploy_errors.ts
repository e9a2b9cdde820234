/** Every deploy costs calls: three settings hide each other's effect. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster, routeAction } from "../../src/experiment/changes.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import { heldIf, lostAtMost, statGrows } from "../../src/experiment/judge.ts";
import type { RunContext } from "../../src/experiment/run_context.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { CLUSTER, HEALTH_CHECK, RETRY_POLICY } from "./_paths.ts";
import text from "./15_deploy_errors.md" with { type: "text" };

const DEPLOY = "two of three are restarted";
/**
 * Before its first call Envoy checks a cluster every second, whatever the
 * interval; by then the first checks at the file's own interval are set.
 */
const DEPLOY_AT_MS = 1800;

const RESTARTED = ["server-1", "server-2"];

/** A health check every second, and a moment. */
const NOTICED_MS = 1500;

const RETRY_ON = [...RETRY_POLICY, "retry_on"];
const PANIC = [...CLUSTER, "common_lb_config", "healthy_panic_threshold"];
const RETRY_ON_BEFORE = "connect-failure,refused-stream,reset,unavailable";

/** Restarts two servers at once, as a deploy tool does. */
async function deploy({ stack }: RunContext): Promise<void> {
  await Promise.all(RESTARTED.map(async (name) => {
    await stack.stop(name, "SIGTERM");
    await stack.start(name);
  }));
}

/** A server that has said that it stops gets no more calls. */
const leavesThemAlone: Judge = ({ actions, calls }) => {
  const atMs = (name: string, kind: string) =>
    actions.find((one) => one.server === name && one.kind === kind)?.atMs;
  const late = RESTARTED.flatMap((name) => {
    const fromMs = (atMs(name, "SIGTERM") ?? Infinity) + NOTICED_MS;
    const toMs = atMs(name, "start") ?? Infinity; // Then it is another one.
    return calls.filter(({ server, startMs }) =>
      server === name && startMs >= fromMs && startMs < toMs
    );
  });
  return heldIf(
    late.length === 0,
    `${late.length} calls answered by servers that had said so ` +
      `${NOTICED_MS} ms before`,
  );
};

/** Which of the three settings a file still has. */
function wrong(config: EnvoyConfig): {
  readonly isSlow: boolean;
  readonly panics: boolean;
  readonly hasNarrowRetries: boolean;
} {
  const cluster = grpcCluster(config);
  const retryOn = at(routeAction(config, "unary"), "retry_policy", "retry_on");
  const threshold = at(
    cluster,
    ...["common_lb_config", "healthy_panic_threshold", "value"],
  );
  const interval = String(at(cluster, "health_checks", 0, "interval"));
  return {
    isSlow: Number.parseFloat(interval) > 1,
    panics: threshold === undefined || Number(threshold) > 33,
    hasNarrowRetries: !/connect-failure|reset(?!-)|5xx|gateway-error/
      .test(String(retryOn)),
  };
}

export const deployErrors: Lesson = {
  number: 15,
  name: "deploy-errors",
  title: "Users see errors at every deploy: why?",
  isIncident: true,
  minutes: 20,
  text,
  start: [
    { path: [...HEALTH_CHECK, "interval"], value: "10s" },
    { path: RETRY_ON, value: "unavailable" },
    { path: PANIC, value: undefined },
  ],
  solution: [
    { path: [...HEALTH_CHECK, "interval"], value: "1s" },
    { path: RETRY_ON, value: RETRY_ON_BEFORE },
    { path: PANIC, value: { value: 0 } },
  ],
  hints: [
    "Follow one server through a deploy: it says that it stops, it serves on " +
    "for a while, it is gone, it is back. Who has to notice each of the " +
    "four, and how soon does Envoy?",
    "Three parts are involved: how often health checks run, what Envoy does " +
    "when most servers are unhealthy, and which failures are worth a second " +
    "attempt.",
    'Health checks: "interval: 1s". "common_lb_config": ' +
    '"healthy_panic_threshold: { value: 0 }". The route "unary": "retry_on: ' +
    `${RETRY_ON_BEFORE}".`,
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 150, durationMs: 7500 },
    events: [{ atMs: DEPLOY_AT_MS, label: DEPLOY, do: deploy }],
    claims: [
      {
        id: "lost",
        text: "no call is lost",
        judge: lostAtMost(0),
        stillWrong: "A deploy of two servers at a time still costs calls",
      },
      {
        id: "left-alone",
        text: "a server that says that it stops gets no more calls",
        judge: leavesThemAlone,
        stillWrong:
          "Envoy goes on calling servers that have said that they stop",
      },
      {
        id: "panic",
        text: "Envoy does not panic",
        judge: statGrows("lb_healthy_panic", { max: 0 }),
        stillWrong: "Envoy panics and calls servers that it knows to be " +
          "unhealthy",
      },
    ],
  },
  mistakes: [
    {
      name: "only retries",
      edits: [{ path: RETRY_ON, value: RETRY_ON_BEFORE }],
      isIn: (config) => {
        const { isSlow, hasNarrowRetries } = wrong(config);
        return isSlow && !hasNarrowRetries;
      },
      sentence:
        "Retries now hide it from users, but Envoy does not hear for up to " +
        "ten seconds that a server is about to stop, and goes on calling it",
    },
    {
      name: "only health checks",
      edits: [{ path: [...HEALTH_CHECK, "interval"], value: "1s" }],
      isIn: (config) => {
        const { isSlow, panics } = wrong(config);
        return !isSlow && panics;
      },
      sentence:
        "Envoy now knows at once that two of three servers stop, but then " +
        "fewer than half are healthy, so it panics and calls them all the same",
    },
    {
      name: "only the panic threshold",
      edits: [{ path: PANIC, value: { value: 0 } }],
      isIn: (config) => {
        const { isSlow, panics } = wrong(config);
        return isSlow && !panics;
      },
      sentence:
        "A threshold for unhealthy servers is of no use while Envoy asks " +
        "them every ten seconds only: when a server stops, it still counts " +
        "as healthy",
    },
  ],
};
