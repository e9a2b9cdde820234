/**
 * Some clients cancel hundreds of calls a second; others call normally.
 *
 * What is measured is whether the others notice. For each cancelled call Envoy
 * resets a stream on its one connection to a server. The servers' HTTP/2
 * library tolerates a burst of 1000 resets and 33 a second after that, then it
 * sends a GOAWAY. Calls in flight on that connection must finish, and calls
 * that arrive too late for it must be retried elsewhere. In the control the
 * clients abandon their calls without cancelling them: servers keep working for
 * nobody, until Envoy's limit of calls in flight makes it refuse the others.
 */
import {
  type Experiment,
  heldIf,
  type History,
  type Judgement,
  measuredBetween,
  type RunContext,
  statGrows,
} from "../src/experiment/authors.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter, type GreeterClient } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";
import { countOf, noOtherCallIsLost } from "./_claims.ts";

const CANCELS_PER_S = 600;

const STORM_MS = 8000;

/** Longer than a client waits, shorter than the run. */
const CALL_MS = 2000;

/** By then the calls have reached a server but are not answered yet. */
const CANCEL_AFTER_MS = 30;

/**
 * Envoy closes a connection after 250 calls that were each cancelled within a
 * second. The client reconnects, but with several it happens less often.
 */
const CLIENTS = 6;

/** Makes a call that takes too long, and cancels it or lets it run. */
async function callAndGiveUp(
  client: GreeterClient,
  isCancelled: boolean,
): Promise<void> {
  await callToEnd(client, "SayHello", { name: "given up", workMs: CALL_MS }, {
    deadlineMs: CALL_MS,
    ...(isCancelled ? { signal: AbortSignal.timeout(CANCEL_AFTER_MS) } : {}),
  });
}

/** The servers count as cancelled nearly all calls that clients cancelled. */
export function cancelledOnServers(history: History): Judgement {
  const { before, after } = history;
  const growth = countOf(after, "cancelled") - countOf(before, "cancelled");
  const share = growth / history.extraCalls;
  return heldIf(
    share >= 0.9,
    `${growth} of ${history.extraCalls} calls cancelled on their servers`,
  );
}

/** Starts calls at a constant rate and gives them up. */
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

export const cancelStorm: Experiment = {
  name: "cancel-storm",
  question:
    `Are other calls lost while ${CANCELS_PER_S} a second are cancelled?`,
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
      text: "no connection to a server closes with a call in flight",
      judge: statGrows("upstream_cx_destroy_remote_with_active_rq", { max: 0 }),
    },
    {
      id: "propagated",
      text: "cancellation reaches the servers, for 90 % of the calls",
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
    about: "the clients do not cancel the calls that they abandon",
    load: { durationMs: 6000 },
    events: [{
      atMs: 1000,
      label: "calls that nobody waits for",
      do: (run) => storm(run, 3000, false),
    }],
    breaks: ["lost"],
  },
  limits: [{
    text: "Every server closes its connection to Envoy once in the storm, " +
      "with a GOAWAY, after at most 1,600 resets; Envoy opens another, and with " +
      "retries no call is lost (without: 1 of 4,600). Envoy disconnects a " +
      "client after 250 calls that lived less than a second, some 18 times",
    reason:
      "nghttp2 in the servers' runtime tolerates a burst of 1000 stream " +
      "resets on a connection, and 33 a second; grpc-js does not pass on " +
      "Node's options for it (streamResetBurst, streamResetRate)",
    reference: "nghttp2_option_set_stream_reset_rate_limit in nghttp2's " +
      "manual; overload.premature_reset_total_stream_count in Envoy's",
  }],
};
