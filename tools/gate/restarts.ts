/** The check of the runtime gate in which Envoy goes away and comes back. */
import { Failure } from "../../src/core/errors.ts";
import { findTool } from "../../src/io/tools.ts";
import { EnvoyAdmin } from "../../src/stack/envoy_admin.ts";
import {
  GRPC_CLUSTER,
  moveToNative,
  parseEnvoyConfig,
} from "../../src/stack/envoy_config.ts";
import { EnvoyProcess } from "../../src/stack/envoy_process.ts";
import { startNameServer } from "../../src/stack/name_server.ts";
import type { Check, Plan } from "./checks.ts";
import {
  type Absence,
  judgeExit,
  judgeRestarts,
  type Reasons,
} from "./judge.ts";
import {
  freePort,
  type Runtime,
  startClient,
  startServer,
  type TestedServer,
} from "./runtime.ts";

const HOST = "127.0.0.1";
const SERVER_HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"] as const;
const RATE_PER_S = 50;

/** Calls before the first restart, between two, and after the last. */
const UNDISTURBED_MS = 2_500;

/** The client is stopped when the restarts are done; this is a limit. */
const LOAD_LIMIT_MS = 300_000;

/** Envoy behind which the servers are, with its endpoint. */
interface Front {
  readonly envoy: EnvoyProcess;
  readonly endpoint: string;
  close(): Promise<void>;
}

async function startFront(serverPort: number): Promise<Front> {
  const { path } = await findTool("envoy");
  const [grpcPort, l4Port, adminPort] = [freePort(), freePort(), freePort()];
  const nameServer = await startNameServer(GRPC_CLUSTER);
  nameServer.setAddresses(SERVER_HOSTS);
  const envoy = new EnvoyProcess({
    path,
    config: moveToNative(parseEnvoyConfig(), {
      host: HOST,
      grpcPort,
      l4Port,
      adminPort,
      serverPort,
      resolverPort: nameServer.port,
    }),
    admin: new EnvoyAdmin(`${HOST}:${adminPort}`),
    concurrency: 1,
    onLine: () => {},
    onCrash: () => {},
  });
  const front: Front = {
    envoy,
    endpoint: `${HOST}:${grpcPort}`,
    close: async () => {
      await envoy.stop();
      await nameServer.close();
    },
  };
  try {
    await envoy.start();
    return front;
  } catch (error) {
    await front.close();
    throw error;
  }
}

async function loadThroughRestarts(
  runtime: Runtime,
  { envoy, endpoint }: Front,
  restarts: number,
): Promise<Reasons> {
  const client = startClient(runtime, endpoint, {
    kind: "pace",
    ratePerS: RATE_PER_S,
    calls: RATE_PER_S * LOAD_LIMIT_MS / 1000,
  }, LOAD_LIMIT_MS);
  const absences: Absence[] = [];
  await pause(UNDISTURBED_MS);
  for (let made = 0; made < restarts; made += 1) {
    const stoppedAtMs = Date.now();
    await envoy.stop();
    runtime.signal.throwIfAborted();
    await envoy.start();
    absences.push({ stoppedAtMs, readyAtMs: Date.now() });
    await pause(UNDISTURBED_MS);
  }
  client.stop();
  const status = await client.exited;
  const report = await client.report;
  if (report !== undefined) {
    runtime.onProgress(
      `Deno ${runtime.version}: ${report.calls} calls, ` +
        `${report.failures.length} failed while Envoy was away`,
    );
  }
  return [
    ...judgeExit("client", status),
    ...(report === undefined ? [] : judgeRestarts(report, absences)),
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function envoyRestarts(runtime: Runtime, plan: Plan): Promise<Reasons> {
  const servers: TestedServer[] = [];
  const reasons: string[] = [];
  let front: Front | undefined;
  try {
    const port = freePort(SERVER_HOSTS);
    for (const host of SERVER_HOSTS) {
      servers.push(await startServer(runtime, { host, port }));
    }
    front = await startFront(port);
    reasons.push(
      ...await loadThroughRestarts(runtime, front, plan.envoyRestarts),
    );
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== "failed") throw error;
    reasons.push(error.message);
  } finally {
    const statuses = await Promise.all(servers.map((server) => server.stop()));
    reasons.unshift(...statuses.flatMap((one) => judgeExit("server", one)));
    await front?.close();
  }
  return reasons;
}

/** Envoy restarted under load. */
export const RESTART_CHECK: Check = {
  title: "Envoy restarts",
  run: envoyRestarts,
};
