/**
 * A caller gives up hundreds of calls a second beside others who do not.
 *
 * What is measured is whether those others notice. A cancelled call is a stream that Envoy resets on its one
 * connection to a server, and the servers' HTTP/2 library takes 1000 resets at
 * once and 33 a second; then it sends a GOAWAY. Calls on that connection must
 * end well there, and those that come too late for it be tried elsewhere. In the control the caller gives up in silence: servers work
 * on for nobody, until Envoy's limit of calls in flight refuses the others.
 */
import type { Experiment, Judgement } from "../src/experiment/experiment.ts";
import type { History } from "../src/experiment/history.ts";
import { heldIf, measuredBetween, statGrows } from "../src/experiment/judge.ts";
import type { RunContext } from "../src/experiment/run_context.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter, type GreeterClient } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";
import { noOtherCallIsLost } from "./_claims.ts";

const CANCELS_PER_S = 600;

const STORM_MS = 8000;

/** Longer than the storm has patience, shorter than the run. */
const CALL_MS = 2000;

/** Calls are with a server by then, and not answered yet. */
const CANCEL_AFTER_MS = 30;

/**
 * Envoy throws out a caller who cancels 250 calls within a second each; it
 * comes back, but with several connections that happens less often.
 */
const CLIENTS = 6;

/** Makes a call that takes too long, and cancels it or lets it be. */
async function callAndGiveUp(
  client: GreeterClient,
  isCancelled: boolean,
): Promise<void> {
  await callToEnd(client, "SayHello", { name: "given up", workMs: CALL_MS }, {
    deadlineMs: CALL_MS,
    ...(isCancelled ? { signal: AbortSignal.timeout(CANCEL_AFTER_MS) } : {}),
  });
}

/** Of the calls that callers cancelled, servers have counted nearly all. */
export function cancelledOnServers(history: History): Judgement {
  const { before, after } = history;
  const count = ({ counters }: typeof after) =>
    Object.values(counters).flatMap(({ methods }) => methods)
      .reduce((sum, { cancelled }) => sum + cancelled, 0);
  const growth = count(after) - count(before);
  const share = growth / history.extraCalls;
  return heldIf(
    share >= 0.9,
    `${growth} of ${history.extraCalls} calls cancelled on their servers`,
  );
}

/** Starts calls and gives them up, evenly, for so long. */
async function storm(
  run: RunContext,
  durationMs: number,
  isCancelled: boolean,
): Promise<void> {
  const clients = Array.from(
    { length: CLIENTS },
    () => connect(Greeter, run.stack.endpoint),
  );
  const { made, reachedPerS } = await runOpenLoop({
    ratePerS: CANCELS_PER_S,
    count: CANCELS_PER_S * durationMs / 1000,
    signal: run.signal,
    makeCall: async ({ index }) => {
      const client = clients[index % CLIENTS];
      if (client !== undefined) await callAndGiveUp(client, isCancelled);
    },
  });
  clients.forEach((client) => client.close());
  run.addCalls(made, made);
  run.measure("calls given up a second", reachedPerS);
}

/** Does a caller who gives up his calls disturb the others? */
export const cancelStorm: Experiment = {
  name: "cancel-storm",
  question: `Are calls lost beside ${CANCELS_PER_S} cancelled ones a second?`,
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 10_000, workMs: 200 },
  events: [{
    atMs: 1000,
    label: "cancel storm",
    do: (run) => storm(run, STORM_MS, true),
  }],
  claims: [
    noOtherCallIsLost,
    {
      id: "cut",
      text: "no server's connection ends with a call on it",
      judge: statGrows("upstream_cx_destroy_remote_with_active_rq", { max: 0 }),
    },
    {
      id: "propagated",
      text: "the servers hear of it: 90 % of the calls end as cancelled there",
      judge: cancelledOnServers,
    },
    {
      id: "storm",
      text: `at least ${CANCELS_PER_S * 0.9} calls a second are given up`,
      judge: measuredBetween("calls given up a second", {
        min: CANCELS_PER_S * 0.9,
      }),
    },
  ],
  control: {
    about: "the caller gives up in silence, his calls go on",
    load: { durationMs: 6000 },
    events: [{
      atMs: 1000,
      label: "calls that nobody waits for",
      do: (run) => storm(run, 3000, false),
    }],
    breaks: ["lost"],
  },
  limits: [{
    text: "Every server ends its connection with Envoy once in the storm, " +
      "with a GOAWAY, after at most 1,600 resets; Envoy opens another, and with " +
      "retries no call is lost (without: 1 of 4,600). Envoy throws out the " +
      "caller after 250 calls that lived less than a second, some 18 times",
    reason: "nghttp2 in the servers' runtime stands 1000 stream resets at " +
      "once and 33 a second on a connection; Node's options for it " +
      "(streamResetBurst, streamResetRate) are not passed on by grpc-js",
    reference: "nghttp2_option_set_stream_reset_rate_limit in nghttp2's " +
      "manual; overload.premature_reset_total_stream_count in Envoy's",
  }],
};
