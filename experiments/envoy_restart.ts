/**
 * Envoy is replaced under load. It is drained first: it sends its callers away,
 * stops listening after its drain time and is stopped once the last call is
 * answered.
 *
 * What is measured: calls that were cut, whose caller had a connection; calls
 * that were refused, which began while nothing listened; how long that lasted;
 * and wait-for-ready callers, which should notice nothing. With a single Envoy
 * a gap is unavoidable: nothing listens between its end and its next start.
 */
import {
  type CallRecord,
  type Experiment,
  type ExperimentEvent,
  heldIf,
  type History,
  isFailed,
  type Judge,
  type Judgement,
  lossWords,
  measuredBetween,
  type RunContext,
  unknown,
} from "../src/experiment/authors.ts";
import { waitUntil } from "../src/io/wait.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";
import { countOf } from "./_claims.ts";

/** Envoy's "--drain-time-s", after which its listeners close. */
const DRAIN_MS = 5000;

/** A call takes its work and little more. */
const DRAINED_LIMIT_MS = 3000;

const GAP_MS_MAX = 1500;

const WORK_MS = 150;

const WAITING_DEADLINE_MS = 5000;

const WAITING_RATE_PER_S = 20;

/** From the answer to the last call until its connection is flushed. */
const FLUSH_MS = 100;

/** Whether a call never had a connection, going by grpc-js's message. */
export function isRefused(call: Pick<CallRecord, "details">): boolean {
  return /No connection established|ECONNREFUSED/.test(call.details);
}

/** No call that reached Envoy is lost. */
export function noneIsCut({ calls }: History): Judgement {
  const refused = calls.filter((call) => isFailed(call) && isRefused(call));
  const others = calls.filter((call) => !refused.includes(call));
  if (others.length < 50) return unknown("too few calls to tell");
  const cut = others.filter(isFailed);
  return heldIf(
    cut.length === 0,
    `${lossWords(others)}, ${refused.length} more refused while nothing ` +
      "listened",
  );
}

/** No call is cancelled after its server has started it. */
export function noneIsCancelled({ before, after }: History): Judgement {
  const growth = countOf(after, "cancelled") - countOf(before, "cancelled");
  return heldIf(growth === 0, `${growth} calls cancelled on their servers`);
}

/** The first and the last failed call are at most `limitMs` apart. */
export function gapAtMost(limitMs: number): Judge {
  return ({ calls }) => {
    const failed = calls.filter(isFailed).map(({ startMs }) => startMs);
    if (failed.length === 0) return heldIf(true, "no call failed");
    const gapMs = Math.max(...failed) - Math.min(...failed);
    return heldIf(
      gapMs <= limitMs,
      `${failed.length} calls failed within ${gapMs.toFixed(0)} ms`,
    );
  };
}

/** Stops Envoy and starts it again. */
async function replace({ stack, mark, ...run }: RunContext): Promise<void> {
  mark("Envoy ends");
  const endedAtMs = run.elapsedMs();
  await stack.stopEnvoy("SIGTERM");
  await stack.startEnvoy();
  run.measure("Envoy away", run.elapsedMs() - endedAtMs);
}

/** Drains Envoy, waits for the calls in flight, then replaces it. */
async function drainAndReplace(run: RunContext): Promise<void> {
  const { admin } = run.stack;
  await admin.post("healthcheck/fail");
  await admin.post("drain_listeners?inboundonly&graceful");
  await run.wait(DRAIN_MS);
  const isDrained = await waitUntil(
    async () => {
      const stats = await admin.stats("^http\\.grpc\\.downstream_rq_active$");
      return [...stats.values()].every((active) => active === 0);
    },
    DRAINED_LIMIT_MS,
    run.signal,
  );
  run.measure("drained", isDrained ? 1 : 0);
  await run.wait(FLUSH_MS);
  await replace(run);
}

/** Makes wait-for-ready calls at a constant rate. */
function waitForReadyCalls(durationMs: number): ExperimentEvent {
  return {
    atMs: 0,
    label: "wait-for-ready callers",
    do: async (run) => {
      const client = connect(Greeter, run.stack.endpoint);
      let lost = 0;
      const { made } = await runOpenLoop({
        ratePerS: WAITING_RATE_PER_S,
        count: WAITING_RATE_PER_S * durationMs / 1000,
        signal: run.signal,
        makeCall: async () => {
          const { status } = await callToEnd(client, "SayHello", {}, {
            deadlineMs: WAITING_DEADLINE_MS,
            waitForReady: true,
          });
          if (status !== "OK") lost += 1;
        },
      });
      client.close();
      run.addCalls(made);
      run.measure("wait-for-ready calls lost", lost);
    },
  };
}

export const envoyRestart: Experiment = {
  name: "envoy-restart",
  question: "Are calls cut when Envoy is drained and replaced?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 10_000, workMs: WORK_MS },
  events: [
    waitForReadyCalls(9500),
    { atMs: 1000, label: "drain and replace Envoy", do: drainAndReplace },
  ],
  isMeantToFail: isRefused,
  claims: [
    {
      id: "cut",
      text: "no call that reached Envoy is lost",
      judge: noneIsCut,
    },
    {
      id: "cancelled",
      text: "no call is cancelled on its server",
      judge: noneIsCancelled,
    },
    {
      id: "gap",
      text: `calls are refused for at most ${GAP_MS_MAX} ms`,
      judge: gapAtMost(GAP_MS_MAX),
    },
    {
      id: "wait-for-ready",
      text: "wait-for-ready callers lose no call",
      judge: measuredBetween("wait-for-ready calls lost", { max: 0 }),
    },
  ],
  control: {
    about: "Envoy is stopped without draining",
    load: { durationMs: 4000 },
    events: [
      waitForReadyCalls(3500),
      { atMs: 1000, label: "replace Envoy", do: replace },
    ],
    breaks: ["cut", "cancelled"],
  },
};
