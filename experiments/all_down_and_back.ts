/**
 * All servers are killed and come back a few seconds later.
 *
 * While no server is up, calls must fail at once: a call that waits for its
 * deadline holds memory on both sides. Envoy must then recover by itself: the
 * time to the first successful call is the price of health checks.
 */
import {
  callsIn,
  countBy,
  eventAtMs,
  type Experiment,
  healthCheckFields,
  heldIf,
  isFailed,
  type Judge,
  lostAtMost,
  measured,
  percentile,
  type RunContext,
  unavailableIn,
  unknown,
} from "../src/experiment/authors.ts";

const KILL = "kill -9 all";
const START = "start all";
const KILL_AT_MS = 1000;
const START_AT_MS = 5000;

/** When the first server was up again, counted from the start of the load. */
const SERVING = "first server serves at";

/** The longest a refusal may take while no server is up. */
const REFUSED_MS_MAX = 50;

/** A check every second; two must pass, and the second follows after 0.25 s. */
const BACK_MS_MAX = 2500;

/** By then the last server is back, too. */
const SETTLED_MS = 9500;

function names({ stack }: RunContext): readonly string[] {
  return stack.servers().map(({ name }) => name);
}

async function killAll(run: RunContext): Promise<void> {
  await Promise.all(names(run).map((name) => run.stack.stop(name, "SIGKILL")));
}

async function startAll(run: RunContext): Promise<void> {
  let isFirst = true;
  await Promise.all(
    names(run).map(async (name) => {
      await run.stack.start(name);
      if (isFirst) run.measure(SERVING, run.elapsedMs());
      isFirst = false;
    }),
  );
}

/** Every call made while no server was up failed, and failed fast. */
const failsFast: Judge = (history) => {
  const fromMs = eventAtMs(history, KILL);
  const toMs = eventAtMs(history, START);
  if (fromMs === undefined || toMs === undefined) {
    return unknown("the servers were not killed and started");
  }
  // A call that began just before the kill may still have been answered.
  const calls = callsIn(history, { fromMs: fromMs + 100, toMs });
  const valueMs = percentile(calls.map(({ latencyMs }) => latencyMs), 95);
  if (valueMs === undefined) return unknown("no call while all were down");
  const statuses = [...countBy(calls, ({ status }) => status)];
  return heldIf(
    valueMs <= REFUSED_MS_MAX &&
      calls.every(({ status }) => status === "UNAVAILABLE"),
    `p95 ${valueMs.toFixed(1)} ms, ${
      statuses.map(([status, count]) => `${count} ${status}`).join(", ")
    }`,
  );
};

/** The first successful call comes soon after the first server is up. */
const isSoonBack: Judge = (history) => {
  const [servingMs] = measured(history, SERVING);
  if (servingMs === undefined) return unknown("no server came up again");
  const killedMs = eventAtMs(history, KILL) ?? 0;
  const first = history.calls.find((call) =>
    !isFailed(call) && call.startMs > killedMs + 100
  );
  if (first === undefined) return heldIf(false, "no call succeeded again");
  const tookMs = first.startMs + first.latencyMs - servingMs;
  return heldIf(
    tookMs <= BACK_MS_MAX,
    `first successful call ${tookMs.toFixed(0)} ms after a server was up`,
  );
};

export const allDownAndBack: Experiment = {
  name: "all-down-and-back",
  question:
    "What do callers see while all servers are down, and how soon is it over?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 11_500 },
  events: [
    { atMs: KILL_AT_MS, label: KILL, do: killAll },
    { atMs: START_AT_MS, label: START, do: startAll },
  ],
  isMeantToFail: unavailableIn({ fromMs: KILL_AT_MS, toMs: SETTLED_MS }),
  claims: [
    {
      id: "fails-fast",
      text: `while all are down, 95 % of the calls are UNAVAILABLE within ` +
        `${REFUSED_MS_MAX} ms`,
      judge: failsFast,
    },
    {
      id: "back",
      text: `calls succeed within ${BACK_MS_MAX} ms of a server being up, ` +
        `without touching Envoy`,
      judge: isSoonBack,
    },
    {
      id: "settled",
      text: "no call is lost afterwards",
      judge: lostAtMost(0, { fromMs: SETTLED_MS }),
    },
  ],
  control: {
    about: "unhealthy servers are checked only every 10 s",
    changes: [
      healthCheckFields("checks unhealthy servers every 10 s", {
        unhealthy_interval: "10s",
      }),
    ],
    breaks: ["back", "settled"],
  },
};
