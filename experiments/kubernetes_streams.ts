/**
 * Streams are open while the pods of their servers are replaced.
 *
 * A pod that is deleted goes on for 6 s. It has left DNS, but passes health
 * checks, so Envoys still open streams on it. Then SIGTERM makes its server say
 * NOT_SERVING; once the Envoys have seen that, it gets no new stream, and gives
 * open ones 8 s. So a shorter stream ends by itself, and its caller's next one
 * goes to another server. What is measured: how streams end, and how long a
 * caller waits for a reply.
 */
import {
  type Experiment,
  measuredBetween,
  type RunContext,
} from "../src/experiment/authors.ts";
import { Greeter } from "../src/io/proto.ts";
import { connect } from "../src/io/rpc.ts";
import { endAtOnce, kubernetesOf } from "./_kubernetes.ts";
import {
  INTERVAL_MS,
  measureEnd,
  readHellos,
  wholeStreams,
} from "./streams.ts";

/** Callers, each with one stream after another. */
const CALLERS = 9;

/** A stream of 3 s. */
const REPLIES = 30;

const SILENCE_MS_MAX = 1500;

/** Opens streams until the rollout is over, and reads each to its end. */
async function readUntil(run: RunContext, isOver: AbortSignal): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  let lastMs = run.elapsedMs();
  let silenceMs = 0;
  try {
    while (!isOver.aborted && !run.signal.aborted) {
      const end = await readHellos(
        client,
        REPLIES,
        run.signal,
        () => {
          silenceMs = Math.max(silenceMs, run.elapsedMs() - lastMs);
          lastMs = run.elapsedMs();
        },
      );
      run.addCalls(1);
      measureEnd(run, end);
    }
  } finally {
    client.close();
  }
  run.measure("longest silence", silenceMs);
}

async function rollWithStreams(run: RunContext): Promise<void> {
  const end = new AbortController();
  const callers = Array.from(
    { length: CALLERS },
    () => readUntil(run, end.signal),
  );
  try {
    await kubernetesOf(run).restart("grpc-server");
    run.mark("all pods are new");
  } finally {
    end.abort();
    await Promise.all(callers);
  }
}

export const podsWithStreams: Experiment = {
  name: "pods-with-streams",
  question: "Is a stream of 3 s cut while all servers are replaced?",
  isForKubernetes: true,
  setup: { servers: 3 },
  load: { ratePerS: 0, durationMs: 1000 },
  events: [{
    atMs: 0,
    label: `restart of grpc-server, with ${CALLERS} streams`,
    do: rollWithStreams,
  }],
  claims: [
    ...wholeStreams(REPLIES),
    {
      id: "silence",
      text:
        `no caller waits longer than ${SILENCE_MS_MAX} ms for a reply, with ` +
        `one every ${INTERVAL_MS} ms`,
      judge: measuredBetween("longest silence", {
        max: SILENCE_MS_MAX,
        unit: "ms",
      }),
    },
  ],
  control: {
    about: "no preStop, and servers end with their streams",
    setup: endAtOnce,
    breaks: ["whole", "replies"],
  },
};
