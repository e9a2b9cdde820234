/**
 * One server becomes 200 ms slower. No call fails, so neither health checks nor
 * outlier detection react: Envoy ejects no server for being slow.
 *
 * ROUND_ROBIN, which envoy.yaml uses so that every server gets the same share,
 * keeps sending it a third of the calls. LEAST_REQUEST sees calls pile up
 * there. By default it compares two random choices; with three servers both are
 * the slow one in one of nine cases, 11 % of the calls, so the 90th percentile
 * stays slow. Here it compares eight.
 */
import {
  type Experiment,
  latencyAtMost,
  leastRequest,
  shareBetween,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const SLOW = "server-2";
const SLOW_AT_MS = 1000;
const DURATION_MS = 6000;

/** LEAST_REQUEST needs a moment for calls to pile up. */
const window = { fromMs: SLOW_AT_MS + 500, toMs: DURATION_MS };

export const brownOut: Experiment = {
  name: "brown-out",
  question: "How many calls does one slow server slow down?",
  isShort: true,
  isOfOwnSettings: true,
  setup: {
    servers: 3,
    changes: [leastRequest],
  },
  load: { ratePerS: 300, durationMs: DURATION_MS },
  events: [{
    atMs: SLOW_AT_MS,
    label: `${SLOW} 200 ms slower`,
    do: async ({ stack }) => {
      await stack.fault(SLOW, {
        kind: "delay",
        delayMs: 200,
        durationMs: 60_000,
      });
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "share",
      text: "the slow server gets at most 10 % of the calls",
      judge: shareBetween(SLOW, 0, 0.1, window),
    },
    {
      id: "latency",
      text: "90 % of the calls take at most 20 ms",
      judge: latencyAtMost(90, 20, window),
    },
  ],
  control: {
    about: "ROUND_ROBIN, as in envoy.yaml: a third of the calls are slow",
    setup: { changes: [] },
    breaks: ["share", "latency"],
  },
  limits: [{
    text: "With LEAST_REQUEST's default of two choices the slow server gets " +
      "12 % of the calls, and 90 % of the calls take up to 205 ms",
    reason: "both choices are random and may be the same server: with three " +
      "servers they are the slow one in one of nine cases",
    reference: "envoyproxy/envoy: LeastRequestLoadBalancer" +
      "::unweightedHostPickNChoices() in least_request_lb.cc",
  }],
};
