/** Envoy has several workers, and each has its own round robin. */
import { at } from "../../src/core/yaml.ts";
import { grpcCluster } from "../../src/experiment/changes.ts";
import { measuredBetween } from "../../src/experiment/judge.ts";
import type { RunContext } from "../../src/experiment/run_context.ts";
import { Greeter } from "../../src/io/proto.ts";
import { callUnary, connect } from "../../src/io/rpc.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import {
  type EnvoyConfig,
  GRPC_LISTENER,
  L4_LISTENER,
} from "../../src/stack/envoy_config.ts";
import { CLUSTER, LISTENER } from "./_paths.ts";
import text from "./14_workers.md" with { type: "text" };

const WORKERS = 2;
const SERVERS = 3;

/** A multiple of workers and servers, so that an even split exists. */
const CALLERS = 24;
const SAMPLES = 6;

/** By then Envoy has noticed that the last sample's connections are closed. */
const BETWEEN_MS = 200;

const BALANCE = [...LISTENER, "connection_balance_config"];
const EXACT = { exact_balance: {} };

/** How a listener spreads connections over workers; undefined by default. */
function balanceOf(config: EnvoyConfig, listener: string): unknown {
  return at(
    config,
    ...["static_resources", "listeners", listener, "connection_balance_config"],
  );
}

/** The difference between the most and the least of some counts. */
function spread(counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts);
}

/** 24 callers connect; each calls once; then all disconnect. */
async function takeSample(run: RunContext): Promise<void> {
  const names = run.stack.servers().map(({ name }) => name);
  const clients = Array.from(
    { length: CALLERS },
    () => connect(Greeter, run.stack.endpoint),
  );
  run.addCalls(CALLERS);
  const answers = await Promise.all(clients.map(async (client) => {
    const request = { name: "sample", workMs: 0 };
    const options = { deadlineMs: 2000 };
    return (await callUnary(client, "SayHello", request, options)).server;
  }));
  const stats = await run.stack.admin.stats(
    "listener\\..*worker_[0-9]+\\.downstream_cx_active",
  );
  const port = run.stack.endpoint.split(":").at(-1);
  const perWorker = [...stats]
    .filter(([name]) => name.includes(`_${port}.`))
    .map(([, value]) => value);
  clients.forEach((client) => client.close());
  if (perWorker.length !== WORKERS) {
    throw new Error(`Envoy has counters of ${perWorker.length} workers`);
  }
  run.measure("connections: difference between workers", spread(perWorker));
  run.measure(
    "calls: difference between servers",
    spread(names.map((name) => answers.filter((one) => one === name).length)),
  );
}

async function takeSamples(run: RunContext): Promise<void> {
  for (let taken = 0; taken < SAMPLES && !run.signal.aborted; taken += 1) {
    await takeSample(run);
    await run.wait(BETWEEN_MS);
  }
}

export const workers: Lesson = {
  number: 14,
  name: "workers",
  title: "Why do 24 calls not make 8 for each of three servers?",
  minutes: 11,
  text,
  // The fault is Envoy's command line: two workers; see the check.
  start: [],
  solution: [{ path: BALANCE, value: EXACT }],
  hints: [
    "Every worker starts its round robin on its own. When would two of them " +
    "together still give each server the same number of calls?",
    "They would, if each worker got the same number of connections. By " +
    "default the kernel decides which worker gets one; a field of the " +
    'listener "grpc" gives that to Envoy.',
    'Add "connection_balance_config: { exact_balance: {} }" to the listener ' +
    '"grpc", beside its "address".',
  ],
  check: {
    setup: { servers: SERVERS, concurrency: WORKERS },
    load: { ratePerS: 0, durationMs: 3000 },
    events: [{
      atMs: 100,
      label: `${SAMPLES} samples of ${CALLERS} callers`,
      do: takeSamples,
    }],
    claims: [
      {
        id: "workers",
        text: "each worker has the same number of connections",
        judge: measuredBetween("connections: difference between workers", {
          max: 0,
        }),
        stillWrong: "One of Envoy's two workers has more connections than " +
          "the other",
      },
      {
        id: "servers",
        text: `of ${CALLERS} calls each server gets ${CALLERS / SERVERS}`,
        judge: measuredBetween("calls: difference between servers", { max: 0 }),
        stillWrong: "The connections are spread evenly, the calls are not",
      },
    ],
  },
  mistakes: [
    {
      name: "the other listener",
      edits: [{
        path: [
          ...["static_resources", "listeners", L4_LISTENER],
          "connection_balance_config",
        ],
        value: EXACT,
      }],
      isIn: (config) =>
        balanceOf(config, GRPC_LISTENER) === undefined &&
        balanceOf(config, L4_LISTENER) !== undefined,
      sentence:
        'The listener "l4" now spreads its connections; these callers use ' +
        '"grpc", which still leaves it to the kernel',
    },
    {
      name: "least request",
      edits: [{ path: [...CLUSTER, "lb_policy"], value: "LEAST_REQUEST" }],
      isIn: (config) => grpcCluster(config)["lb_policy"] === "LEAST_REQUEST",
      sentence:
        "LEAST_REQUEST sees the calls in flight on each worker only, and " +
        "chooses between two random servers: a few short calls come out less " +
        "even than with round robin",
    },
    {
      name: "one socket for all workers",
      edits: [{ path: [...LISTENER, "enable_reuse_port"], value: false }],
      isIn: (config) =>
        at(
          config,
          ...["static_resources", "listeners", GRPC_LISTENER],
          "enable_reuse_port",
        ) === false,
      sentence:
        "With one socket for all workers, whichever wakes first takes the " +
        "connection; that is no more even than a socket for each",
    },
    {
      name: "random",
      edits: [{ path: [...CLUSTER, "lb_policy"], value: "RANDOM" }],
      isIn: (config) => grpcCluster(config)["lb_policy"] === "RANDOM",
      sentence:
        "RANDOM is even in the long run only, and 24 calls are not a long run",
    },
  ],
};
