/**
 * Small samples: 24 callers connect, call once each, and disconnect.
 *
 * What is measured is the spread of a sample: the most calls that a server got,
 * minus the fewest. Every Envoy worker has its own round robin and a connection
 * stays with one worker, so with several workers 24 calls are not 8 for each
 * server; over many samples it evens out.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  type Experiment,
  grpcCluster,
  heldIf,
  type History,
  type Judgement,
  measured,
  measuredBetween,
  type NamedChange,
  type RunContext,
  unknown,
} from "../src/experiment/authors.ts";
import { Greeter } from "../src/io/proto.ts";
import { callUnary, connect } from "../src/io/rpc.ts";

const SERVERS = 3;

/** A multiple of the servers, so that an even distribution has spread 0. */
const CALLERS = 24;

const SAMPLES = 12;

/** Of all calls; one call too many in every sample makes 0.37. */
const SHARE_MAX = 0.4;

/** Makes one call on a new connection. @returns The server that answered. */
async function callOnce(endpoint: string): Promise<string> {
  const client = connect(Greeter, endpoint);
  try {
    const request = { name: "sample", workMs: 0 };
    const options = { deadlineMs: 2000 };
    return (await callUnary(client, "SayHello", request, options)).server;
  } finally {
    client.close();
  }
}

/** Takes the samples, one after the other. */
async function takeSamples(run: RunContext): Promise<void> {
  const names = run.stack.servers().map(({ name }) => name);
  for (let sample = 0; sample < SAMPLES && !run.signal.aborted; sample += 1) {
    run.addCalls(CALLERS);
    const answers = await Promise.all(
      Array.from({ length: CALLERS }, () => callOnce(run.stack.endpoint)),
    );
    const counts = names.map((name) =>
      answers.filter((server) => server === name).length
    );
    run.measure("spread", Math.max(...counts) - Math.min(...counts));
    names.forEach((name, at) => run.measure(name, counts[at] ?? 0));
  }
}

/** Over all samples, no server gets more than its share. */
export function evenInTheLongRun(history: History): Judgement {
  const sums = Array.from(
    { length: SERVERS },
    (_, at) =>
      measured(history, `server-${at + 1}`)
        .reduce((sum, count) => sum + count, 0),
  );
  const all = sums.reduce((sum, count) => sum + count, 0);
  const words = `${sums.join(", ")} calls`;
  if (all < CALLERS * SAMPLES) return unknown(`${words}: too few to tell`);
  return heldIf(Math.max(...sums) / all <= SHARE_MAX, words);
}

/** Of all workers together, as far as Envoy keeps to it. */
const oneForEach: NamedChange = {
  name: `a limit of ${SERVERS} connections to servers`,
  apply: (config) => {
    const limits = partAt(
      grpcCluster(config),
      ...["circuit_breakers", "thresholds", 0],
    );
    limits["max_connections"] = SERVERS;
  },
};

/** Envoy is sampled every 250 ms, and keeps the connections. */
function connectionsStayFew({ samples }: History): Judgement {
  const most = Math.max(
    0,
    ...samples.map(({ stats }) => stats["upstream_cx_active"] ?? 0),
  );
  if (most === 0) return unknown("Envoy was not seen to be connected");
  return heldIf(most <= SERVERS, `at most ${most} connections to servers`);
}

export const workerConcurrency: Experiment = {
  name: "worker-concurrency",
  question: "Does every server get the same share of a few calls?",
  isShort: true,
  setup: { servers: SERVERS },
  // Other calls would advance the round robin between those of a sample.
  load: { ratePerS: 0, durationMs: 2000 },
  events: [{
    atMs: 100,
    label: `${SAMPLES} samples of ${CALLERS} callers`,
    do: takeSamples,
  }],
  claims: [
    {
      id: "exact",
      text: `of ${CALLERS} calls every server gets exactly ${
        CALLERS / SERVERS
      }`,
      judge: measuredBetween("spread", { max: 0 }),
    },
    {
      id: "long-run",
      text: `over all samples no server gets more than ${SHARE_MAX * 100} %`,
      judge: evenInTheLongRun,
    },
    {
      id: "connections",
      text: "Envoy has one connection to each server",
      judge: connectionsStayFew,
    },
  ],
  control: {
    about: "four workers, each with its own round robin",
    setup: { concurrency: 4 },
    breaks: ["exact"],
  },
  furtherControls: [{
    about: `four workers, and ${oneForEach.name}`,
    setup: { concurrency: 4 },
    changes: [oneForEach],
    breaks: ["connections"],
  }],
};
