/**
 * One server goes silent: its process is paused (SIGSTOP). Its connections stay
 * open and its port accepts new ones, so nothing is refused.
 *
 * Health checks notice within 2.25 s. Until then only Envoy's pings on the
 * connection tell a silent server from a slow one: within 0.54 s the calls on
 * it are retried elsewhere.
 */
import {
  callsIn,
  type Experiment,
  type ExperimentEvent,
  healthyWithin,
  heldIf,
  type Judge,
  type NamedChange,
  shareBetween,
  statGrows,
  upstreamHttp2,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const PAUSED = "server-2";
const PAUSE = `pause ${PAUSED}`;
const RESUME = `resume ${PAUSED}`;
const PAUSE_AT_MS = 1000;

/**
 * Five cut calls also eject the server: for 5 s, checked every second. It is
 * resumed after that, so that health checks alone bring it back.
 */
const RESUME_AT_MS = PAUSE_AT_MS + 7000;

/** 0.54 s, plus the call itself on a busy machine. */
const HELD_MS_MAX = 700;

/** A silent server is unhealthy after 2.25 s; jitter may add 10 %. */
const UNHEALTHY_MS_MAX = 2500;

/** Two passing checks, the first within a second. */
const BACK_MS_MAX = 2000;

/** Envoy is sampled every 250 ms. */
const ASKED_EVERY_MS = 250;

/** Envoy does not ping its connections to servers. */
const noPings: NamedChange = {
  name: "no pings to servers",
  apply: (config) => {
    delete upstreamHttp2(config)["connection_keepalive"];
  },
};

const pauseIt: ExperimentEvent = {
  atMs: PAUSE_AT_MS,
  label: PAUSE,
  do: ({ stack }) => stack.pause(PAUSED),
};

/** No call, not even a lost one, is held longer than the pings allow. */
const holdsNone: Judge = (history) => {
  const slowest = Math.max(
    0,
    ...callsIn(history).map(({ latencyMs }) => latencyMs),
  );
  return heldIf(
    slowest <= HELD_MS_MAX,
    `the slowest call took ${slowest.toFixed(0)} ms`,
  );
};

export const pausedServer: Experiment = {
  name: "paused-server",
  question:
    "Is a call lost when a server goes silent but keeps its ports open?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 13_000, workMs: 5 },
  events: [
    pauseIt,
    {
      atMs: RESUME_AT_MS,
      label: RESUME,
      do: ({ stack }) => stack.resume(PAUSED),
    },
  ],
  claims: [
    noCallIsLost,
    {
      id: "held",
      text: `no call takes longer than ${HELD_MS_MAX} ms`,
      judge: holdsNone,
    },
    {
      id: "closed",
      text: "Envoy's pings make it close the silent connection",
      judge: statGrows("http2.keepalive_timeout", { min: 1 }),
    },
    {
      id: "noticed",
      text: `Envoy notices within ${UNHEALTHY_MS_MAX} ms`,
      judge: healthyWithin(PAUSE, 2, UNHEALTHY_MS_MAX + ASKED_EVERY_MS),
    },
    {
      id: "back",
      text: `the server is healthy again within ${BACK_MS_MAX} ms`,
      judge: healthyWithin(RESUME, 3, BACK_MS_MAX + ASKED_EVERY_MS),
    },
    {
      id: "share",
      text: "it gets its third of the calls again",
      judge: shareBetween(PAUSED, 0.32, 0.35, {
        fromMs: RESUME_AT_MS + BACK_MS_MAX,
      }),
    },
  ],
  control: {
    about: "Envoy does not ping its connections to servers",
    changes: [noPings],
    load: { ratePerS: 100, durationMs: 5000, workMs: 5 },
    events: [pauseIt],
    breaks: ["lost", "held", "closed"],
  },
  limits: [{
    text: "At 300 calls a second 12 to 32 of the calls in flight on the " +
      "silent server are lost (UNAVAILABLE, none held longer than 0.54 s)",
    reason: "up to 54 calls are cut at the same moment and the retry budget " +
      "allows 20 retries at once; a larger one would let retries double the " +
      "load when all servers fail, see retry-storm",
    reference: "envoy.yaml: retry_budget and connection_keepalive",
  }],
};
