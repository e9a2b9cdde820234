/** A stopping server says so; Envoy must ask before it is gone. */
import { at } from "../../src/core/yaml.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import {
  callsIn,
  eventAtMs,
  heldIf,
  unknown,
} from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { noCallIsLost } from "../../experiments/_claims.ts";
import { HEALTH_CHECK, RETRY_POLICY, secondsAt } from "./_paths.ts";
import text from "./06_draining.md" with { type: "text" };

const TERM = "SIGTERM server-2";

/**
 * Until the first call, checks are 1 s apart whatever the interval, and one may
 * still be due then.
 */
const TERM_AT_MS = 1500;

/** Shorter than what a stopping server waits, which is 3 s. */
const NOTICED_MS = 2000;

const INTERVAL = [...HEALTH_CHECK, "interval"] as const;

/** The server gets no call any more once Envoy could have noticed. */
const isLeftAlone: Judge = (history) => {
  const termMs = eventAtMs(history, TERM);
  if (termMs === undefined) return unknown(`no event "${TERM}"`);
  const goneMs = eventAtMs(history, "server-2 is gone") ?? Infinity;
  const late = callsIn(history, { fromMs: termMs + NOTICED_MS, toMs: goneMs })
    .filter(({ server }) => server === "server-2");
  return heldIf(
    late.length === 0,
    `${late.length} calls on it later than ${NOTICED_MS / 1000} s after ` +
      "SIGTERM",
  );
};

/** Whether Envoy still asks only every 10 s. */
function isStillSlow(config: EnvoyConfig): boolean {
  return at(config, ...INTERVAL) === "10s";
}

/** Lesson 6. */
export const draining: Lesson = {
  number: 6,
  name: "draining",
  title: "Can a server be restarted without anybody noticing?",
  minutes: 10,
  text,
  start: [{ path: INTERVAL, value: "10s" }],
  solution: [{ path: INTERVAL, value: "1s" }],
  hints: [
    "A stopping server says so and waits 3 s before it goes: does Envoy ask " +
    "it in these 3 s?",
    'Look at health_checks of the cluster "grpc-server": one of its fields ' +
    "says how long Envoy waits between two checks of a healthy server.",
    "Set interval to 1s, so that two or three checks fall into the 3 s.",
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 100, durationMs: 7000, workMs: 20 },
    events: [{
      atMs: TERM_AT_MS,
      label: TERM,
      do: async (run) => {
        await run.stack.stop("server-2", "SIGTERM");
        run.mark("server-2 is gone");
        await run.stack.start("server-2");
      },
    }],
    claims: [
      {
        ...noCallIsLost,
        stillWrong: "Calls are lost while a server is restarted in order",
      },
      {
        id: "left-alone",
        text: `a stopping server gets no call ${NOTICED_MS / 1000} s later`,
        judge: isLeftAlone,
        stillWrong: "The server says for 3 s that it is stopping, but Envoy " +
          "asks only every 10 s, so it sends calls until the server is gone",
      },
    ],
  },
  mistakes: [
    {
      name: "a lower threshold",
      edits: [{ path: [...HEALTH_CHECK, "unhealthy_threshold"], value: 1 }],
      isIn: (config) =>
        isStillSlow(config) &&
        at(config, ...HEALTH_CHECK, "unhealthy_threshold") === 1,
      sentence: "unhealthy_threshold counts checks that got no answer, and " +
        "NOT_SERVING is an answer that acts at once: what is missing is the " +
        "question, which comes every 10 s",
    },
    {
      name: "the interval of unhealthy servers",
      edits: [
        { path: [...HEALTH_CHECK, "unhealthy_interval"], value: "0.5s" },
      ],
      isIn: (config) =>
        isStillSlow(config) &&
        at(config, ...HEALTH_CHECK, "unhealthy_interval") !== undefined,
      sentence: "unhealthy_interval is for servers that Envoy has already " +
        "found unhealthy; a healthy one is asked after interval",
    },
    {
      name: "more retries",
      edits: [{ path: [...RETRY_POLICY, "num_retries"], value: 5 }],
      isIn: (config) =>
        isStillSlow(config) &&
        Number(at(config, ...RETRY_POLICY, "num_retries")) > 2,
      sentence: "Retries repair what a planned restart need not break: Envoy " +
        "should have noticed the stopping server before it went",
    },
    {
      name: "an interval that is still too long",
      edits: [{ path: INTERVAL, value: "5s" }],
      isIn: (config) =>
        !isStillSlow(config) && secondsAt(config, INTERVAL) >= 2,
      sentence: "interval must be shorter than the 3 s for which a stopping " +
        "server waits, with a margin: 1s",
    },
  ],
};
