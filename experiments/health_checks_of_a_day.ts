/**
 * A day of health checks in half a minute: 8,640 of them, as many as a checker
 * makes that opens a new connection every 10 s.
 *
 * What is measured: whether every check is answered, and how much the server's
 * memory grows once it has warmed up. The control is grpc-js on node:http2,
 * which leaks a little memory with every connection.
 */
import {
  type Experiment,
  measuredBetween,
  measureMemory,
  memoryGrowsAtMost,
  noServerRestarts,
  type RunContext,
} from "../src/experiment/authors.ts";
import { wholeCall } from "./attack/raw_calls.ts";
import { connectMany } from "./attack/short_connections.ts";
import { noOtherCallIsLost } from "./_claims.ts";

/** One every 10 s. */
const CHECKS = 8640;

/** Enough for the server to compile its code and grow its heap once. */
const WARM_UP = 500;

const RATE_PER_S = 300;

const SERVER = "server-1";

const GROWTH_MIB_MAX = 16;

const CHECK = wholeCall("/grpc.health.v1.Health/Check");

/** Makes health checks, each on a connection of its own. */
async function check(run: RunContext, count: number): Promise<void> {
  const [server] = run.stack.servers();
  const lost = await connectMany(server?.address ?? "", {
    count,
    ratePerS: RATE_PER_S,
    signal: run.signal,
    callOf: () => CHECK,
  });
  run.measure("health checks lost", lost);
  await measureMemory(run);
}

export const healthChecksOfADay: Experiment = {
  name: "health-checks-of-a-day",
  question: "Does a day of health checks make a server's memory grow?",
  isForDocker: true,
  setup: { servers: 1 },
  load: { ratePerS: 50, durationMs: 32_000 },
  events: [{
    atMs: 500,
    label: `${CHECKS} health checks`,
    do: async (run) => {
      await check(run, WARM_UP);
      await check(run, CHECKS);
    },
  }],
  claims: [
    {
      id: "flat",
      text: `the server grows by at most ${GROWTH_MIB_MAX} MiB`,
      judge: memoryGrowsAtMost([SERVER], GROWTH_MIB_MAX),
    },
    {
      id: "answered",
      text: "every health check is answered",
      judge: measuredBetween("health checks lost", { max: 0 }),
    },
    noServerRestarts,
    noOtherCallIsLost,
  ],
  control: {
    about: "a server on node:http2",
    setup: { serverProgram: "experiments/control/plain_server.ts" },
    breaks: ["flat"],
  },
};
