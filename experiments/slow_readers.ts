/**
 * One ordinary caller that does not read: on one connection through Envoy, 100
 * streams of 100,000 replies of 1 KB each.
 *
 * Envoy buffers what its windows allow (the experiment `oversize` measures
 * that), and then a server must wait. What is measured, four times a second:
 * the memory of servers and Envoy, whether other callers lose a call, and
 * whether the streams of a caller that does read finish: the window of Envoy's
 * connection to a server must have room for all streams. In the control the
 * servers' HTTP/2 module reports every write as done, and the window has room
 * for 16 calls.
 */
import {
  allOf,
  type Experiment,
  measuredBetween,
  measureMemoryBack,
  MEMORY_TIMERS_LATE_MS_MAX,
  memoryGrowsAtMost,
  memoryIsBack,
  type NamedChange,
  noServerRestarts,
  type RunContext,
  upstreamHttp2,
  whileMemoryIsWatched,
} from "../src/experiment/authors.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter, type GreeterClient } from "../src/io/proto.ts";
import { connect, readStream } from "../src/io/rpc.ts";
import { endlessStreams } from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { noOtherCallIsLost } from "./_claims.ts";

/** As many as Envoy allows on a connection. */
const STREAMS = 100;

/** Length of the name, and so roughly of a reply. */
const REPLY_BYTES = 1000;

const SLOW_MS = 8000;

/**
 * A third of the streams is 34: each has 64 KiB in windows, and a few replies
 * waiting.
 */
const GROWTH_MIB_MAX = 40;

/** A caller that reads opens a stream every half second. */
const READS_PER_S = 2;
const READ_REPLIES = 20;
const READ_DEADLINE_MS = 3000;

const SERVERS = ["server-1", "server-2", "server-3"];

/** Reads one stream. @returns Whether every reply arrived. */
async function isRead(client: GreeterClient): Promise<boolean> {
  let replies = 0;
  const { status } = await readStream(
    client,
    "StreamHellos",
    { count: READ_REPLIES },
    { deadlineMs: READ_DEADLINE_MS },
    () => replies += 1,
  );
  return status === "OK" && replies === READ_REPLIES;
}

/** Reads one stream after another, every half second, until the end. */
async function readAll(run: RunContext, signal: AbortSignal): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  let lost = 0;
  const { made } = await runOpenLoop({
    ratePerS: READS_PER_S,
    signal,
    makeCall: async () => {
      run.addCalls(1);
      if (!await isRead(client)) lost += 1;
    },
  });
  client.close();
  run.measure("streams read", made);
  run.measure("truncated streams", lost);
}

/** Room for the replies of only 16 calls on the way to Envoy. */
const smallWindow: NamedChange = {
  name: "a window of 1 MiB for all calls on a server's connection",
  apply: (config) => {
    upstreamHttp2(config)["initial_connection_window_size"] = 1_048_576;
  },
};

/** Opens the streams and reads none of them. */
async function readNothing(run: RunContext): Promise<void> {
  const reader = await RawPeer.open(run.stack.endpoint, false);
  try {
    run.addCalls(STREAMS);
    await whileMemoryIsWatched(run, async (signal) => {
      await reader.write(endlessStreams(REPLY_BYTES, STREAMS));
      const slow = AbortSignal.any([signal, AbortSignal.timeout(SLOW_MS)]);
      await readAll(run, slow);
    });
  } finally {
    reader.close();
  }
  run.mark("the caller is gone");
  await measureMemoryBack(run);
}

export const slowReaders: Experiment = {
  name: "slow-readers",
  question:
    "Does a caller that does not read its replies cost the servers memory?",
  isForDocker: true,
  setup: {
    servers: SERVERS.length,
    timersLateMsMax: MEMORY_TIMERS_LATE_MS_MAX,
  },
  load: { ratePerS: 100, durationMs: 11_000 },
  events: [{
    atMs: 500,
    label: `${STREAMS} streams that nobody reads`,
    do: readNothing,
  }],
  claims: [
    {
      id: "memory",
      text: `no server grows by more than ${GROWTH_MIB_MAX} MiB`,
      judge: memoryGrowsAtMost(SERVERS, GROWTH_MIB_MAX),
    },
    memoryIsBack,
    noServerRestarts,
    {
      id: "streams",
      text: "every stream of a caller that reads finishes",
      judge: allOf(
        measuredBetween("streams read", { min: 10 }),
        measuredBetween("truncated streams", { max: 0 }),
      ),
    },
    noOtherCallIsLost,
  ],
  control: {
    about:
      "servers on node:http2, which reports every write as done; a window " +
      "of 1 MiB for all calls of a server",
    setup: { serverProgram: "experiments/control/plain_server.ts" },
    changes: [smallWindow],
    breaks: ["memory", "streams"],
  },
};
