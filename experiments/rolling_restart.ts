/** Every server is restarted under load, one after the other. */
import { partAt } from "../src/core/yaml.ts";
import {
  type Experiment,
  grpcCluster,
  latencyAtMost,
  measuredBetween,
  type NamedChange,
  noRetries,
  type RunContext,
} from "../src/experiment/authors.ts";
import { exitsWithZero, noCallIsLost } from "./_claims.ts";

const EXIT_MS_MAX = 8000;

/** Restarts the servers in turn, waiting until all are healthy each time. */
export async function restartAll(run: RunContext): Promise<void> {
  const servers = run.stack.servers().map(({ name }) => name);
  for (const name of servers) {
    if (run.signal.aborted) return;
    run.mark(`SIGTERM ${name}`);
    const stoppedAtMs = run.elapsedMs();
    const status = await run.stack.stop(name, "SIGTERM");
    run.measure("exit code", status.code);
    run.measure("time to exit", run.elapsedMs() - stoppedAtMs);
    await run.stack.start(name);
    await run.awaitHealthy(servers.length);
  }
}

const tcpCheck: NamedChange = {
  name: "a health check that only connects",
  apply: (config) => {
    const check = partAt(grpcCluster(config), "health_checks", 0);
    delete check["grpc_health_check"];
    check["tcp_health_check"] = {};
  },
};

export const rollingRestart: Experiment = {
  name: "rolling-restart",
  question: "Is a call lost while every server is restarted in turn?",
  isForDocker: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 12_000, workMs: 20 },
  events: [{ atMs: 1000, label: "rolling restart", do: restartAll }],
  claims: [
    noCallIsLost,
    exitsWithZero,
    {
      id: "exit-time",
      text: `every server ends within ${EXIT_MS_MAX / 1000} s`,
      judge: measuredBetween("time to exit", { max: EXIT_MS_MAX, unit: "ms" }),
    },
    {
      id: "latency",
      // Starting a server takes half of a small machine for a moment.
      text: "99 % of the calls take at most 1000 ms, of which 20 are work",
      judge: latencyAtMost(99, 1000),
    },
  ],
  control: {
    about: "servers do not wait for health checkers to notice, no retries",
    changes: [noRetries],
    setup: { serverFlags: ["--drain-wait", "0", "--close-deadline", "0"] },
    breaks: ["lost"],
  },
  furtherControls: [{
    about: `${tcpCheck.name}, no retries`,
    changes: [tcpCheck, noRetries],
    load: { durationMs: 4000 },
    events: [{
      atMs: 1000,
      label: "SIGTERM server-1",
      do: async ({ stack }) => {
        await stack.stop("server-1", "SIGTERM");
      },
    }],
    breaks: ["lost"],
  }],
};
