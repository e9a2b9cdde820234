/**
 * A server joins a cluster that starts new ones slowly.
 *
 * In the window a server's weight grows from a minimum. A low aggression keeps
 * it there for most of the window, as a much longer window would. With Envoy's
 * default minimum of 10 % the new server gets a thirtieth of the calls, with 1 %
 * hardly any.
 */
import {
  callsIn,
  clusterFields,
  eventAtMs,
  type Experiment,
  heldIf,
  type NamedChange,
  unknown,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const WINDOW_MS = 3000;

/** The first servers have left the window by then. */
const SCALE_AT_MS = 2500;

const JOINED = "server-4 is healthy";

/** Of about 450 calls in half a window; a thirtieth is 15. */
const CALLS_MIN = 6;

function slowStart(minPercent: number): NamedChange {
  return clusterFields(`slow start from ${minPercent} %`, {
    round_robin_lb_config: {
      slow_start_config: {
        slow_start_window: `${WINDOW_MS / 1000}s`,
        aggression: { default_value: 0.1, runtime_key: "none" },
        min_weight_percent: { value: minPercent },
      },
    },
  });
}

export const slowStartShare: Experiment = {
  name: "slow-start",
  question: "Does a server that starts slowly get any calls?",
  setup: { servers: 3, changes: [slowStart(10)] },
  load: { ratePerS: 300, durationMs: 7000 },
  events: [{
    atMs: SCALE_AT_MS,
    label: "scale 3 to 4",
    do: async (run) => {
      await run.stack.scale(4);
      await run.awaitHealthy(4);
      run.mark(JOINED);
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "some",
      text: `it gets ${CALLS_MIN} calls and more in half of the window`,
      judge: (history) => {
        const fromMs = eventAtMs(history, JOINED);
        if (fromMs === undefined) return unknown("server-4 never joined");
        const calls = callsIn(history, {
          fromMs,
          toMs: fromMs + WINDOW_MS / 2,
        });
        const own = calls.filter(({ server }) => server === "server-4").length;
        return heldIf(own >= CALLS_MIN, `${own} of ${calls.length} calls`);
      },
    },
  ],
  control: {
    about: "slow start from 1 %",
    setup: { changes: [slowStart(1)] },
    breaks: ["some"],
  },
};
