/**
 * Peers come and go: 6,000 connections to one server, 500 a second, every
 * second one with a call on it, the others without a word.
 *
 * What is measured: what the server's memory has grown by for each of them,
 * after the first ones have warmed it up; whether their calls are answered;
 * and whether callers who stay lose a call. The control has grpc-js on
 * node:http2, which keeps something of every connection.
 */
import type { Experiment } from "../src/experiment/experiment.ts";
import { measuredBetween } from "../src/experiment/judge.ts";
import {
  measureMemory,
  noServerStartedAgain,
} from "../src/experiment/memory.ts";
import type { RunContext } from "../src/experiment/run_context.ts";
import { wholeCall } from "./attack/raw_calls.ts";
import { connectMany } from "./attack/short_connections.ts";
import { noOtherCallIsLost } from "./_claims.ts";

const CONNECTIONS = 6000;

/** These let the server compile its code and grow its heap once. */
const WARM_UP = 1000;

const RATE_PER_S = 500;

const SERVER = "server-1";

/** Measured: below 1 KiB after 40,000, and more of few by the heap's steps. */
const KIB_MAX = 5;

const SAY_HELLO = wholeCall("/demo.v1.Greeter/SayHello");

/** Connects, calls on every second connection. @returns How many are lost. */
async function churn(run: RunContext, count: number): Promise<number> {
  const [server] = run.stack.servers();
  run.addDirectCalls(count);
  const { lost } = await connectMany(server?.address ?? "", {
    count,
    ratePerS: RATE_PER_S,
    signal: run.signal,
    callOf: (number) => number % 2 === 0 ? SAY_HELLO : undefined,
  });
  return lost;
}

/** Does a server keep something of connections that are closed? */
export const connectionChurn: Experiment = {
  name: "connection-churn",
  question: "Does a server keep something of every connection that it had?",
  isForDocker: true,
  setup: { servers: 1 },
  load: { ratePerS: 100, durationMs: 17_000 },
  events: [{
    atMs: 500,
    label: `${CONNECTIONS} short connections`,
    do: async (run) => {
      const lostFirst = await churn(run, WARM_UP);
      const before = await measureMemory(run);
      const lost = await churn(run, CONNECTIONS);
      const after = await measureMemory(run);
      if (run.signal.aborted) return;
      const mib = (after.get(SERVER) ?? NaN) - (before.get(SERVER) ?? NaN);
      run.measure("KiB kept of a connection", mib * 1024 / CONNECTIONS);
      run.measure("short connections lost", lostFirst + lost);
    },
  }],
  claims: [
    {
      id: "kept",
      text: `a server keeps at most ${KIB_MAX} KiB of a closed connection`,
      judge: measuredBetween("KiB kept of a connection", {
        max: KIB_MAX,
        unit: "KiB",
      }),
    },
    {
      id: "short",
      text: "every call on a short connection is answered",
      judge: measuredBetween("short connections lost", { max: 0 }),
    },
    {
      id: "same",
      text: "the server need not start again",
      judge: noServerStartedAgain(),
    },
    noOtherCallIsLost,
  ],
  control: {
    about: "a server on node:http2",
    setup: { serverProgram: "experiments/control/plain_server.ts" },
    breaks: ["kept"],
  },
};
