/**
 * Peers come and go: 6,000 connections to one server, 500 a second, half of
 * them with one call, the others silent.
 *
 * What is measured: how much the server's memory grows per connection once it
 * has warmed up; whether their calls are answered; and whether callers that
 * stay connected lose a call. The control is grpc-js on node:http2, which leaks
 * a little memory with every connection.
 */
import {
  type Experiment,
  measuredBetween,
  measureMemory,
  noServerRestarts,
  type RunContext,
} from "../src/experiment/authors.ts";
import { wholeCall } from "./attack/raw_calls.ts";
import { connectMany } from "./attack/short_connections.ts";
import { noOtherCallIsLost } from "./_claims.ts";

const CONNECTIONS = 6000;

/** Enough for the server to compile its code and grow its heap once. */
const WARM_UP = 1000;

const RATE_PER_S = 500;

const SERVER = "server-1";

/**
 * Measured: below 1 KiB over 40,000; more over few, as the heap grows in steps.
 */
const KIB_MAX = 5;

const SAY_HELLO = wholeCall("/demo.v1.Greeter/SayHello");

/**
 * Connects, with a call on every other connection. @returns How many are lost.
 */
async function churn(run: RunContext, count: number): Promise<number> {
  const [server] = run.stack.servers();
  run.addDirectCalls(count);
  return await connectMany(server?.address ?? "", {
    count,
    ratePerS: RATE_PER_S,
    signal: run.signal,
    callOf: (number) => number % 2 === 0 ? SAY_HELLO : undefined,
  });
}

export const connectionChurn: Experiment = {
  name: "connection-churn",
  question: "Does a server leak memory with every connection?",
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
      run.measure("KiB leaked per connection", mib * 1024 / CONNECTIONS);
      run.measure("short connections lost", lostFirst + lost);
    },
  }],
  claims: [
    {
      id: "kept",
      text: `a closed connection leaks at most ${KIB_MAX} KiB`,
      judge: measuredBetween("KiB leaked per connection", {
        max: KIB_MAX,
        unit: "KiB",
      }),
    },
    {
      id: "short",
      text: "every call on a short connection is answered",
      judge: measuredBetween("short connections lost", { max: 0 }),
    },
    noServerRestarts,
    noOtherCallIsLost,
  ],
  control: {
    about: "a server on node:http2",
    setup: { serverProgram: "experiments/control/plain_server.ts" },
    breaks: ["kept"],
  },
};
