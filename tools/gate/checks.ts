/** The runtime gate's checks that need only a server and clients. */
import { Failure } from "../../src/core/errors.ts";
import { freePort } from "../../src/stack/free_port.ts";
import { ServerProcess } from "../../src/stack/server_process.ts";
import type { Work } from "./calls.ts";
import {
  judgeCalls,
  judgeDisconnects,
  judgeExit,
  type Outcome,
  type Reasons,
} from "./judge.ts";
import { type Runtime, startClient, tellEnd } from "./runtime.ts";

/** The size of the checks. */
export interface Plan {
  /** Clients, one after another, that call and close. */
  readonly closingClients: number;
  /** Calls of each of them, 100 at once. */
  readonly callsPerClient: number;
  /** Clients, one after another, that open ten connections each. */
  readonly freshClients: number;
  /** How long a connection is idle until the server closes it. */
  readonly idleMs: number;
}

/** The whole gate; `idleMs` is given by a flag. */
export const WHOLE_PLAN = {
  closingClients: 10,
  callsPerClient: 5_000,
  freshClients: 5,
} as const;

/** A few seconds' work, for every run of the tests. */
export const QUICK_PLAN = {
  closingClients: 3,
  callsPerClient: 1_000,
  freshClients: 2,
} as const;

/** A check of a Deno. */
export interface Check {
  readonly title: string;
  readonly run: (runtime: Runtime, plan: Plan) => Promise<Outcome>;
}

const CONCURRENCY = 100;
const CONNECTIONS = 10;
const CALLS_AFTER_IDLE = 20;
const MAX_AGE_MS = 3_000;
const AGE_LOAD_PER_S = 300;

/** How long calls go on while connections are closed by age. */
const AGE_LOAD_MS = 30_000;

/** grpc-js varies the maximum age by 10 %; a busy machine adds some. */
function ageLimitMs(ageMs: number): number {
  return ageMs * 1.1 + 5_000;
}

/** Runs `work` against a server, which must exit cleanly when asked to. */
async function withServer(
  runtime: Runtime,
  flags: readonly string[],
  work: (server: ServerProcess) => Promise<Reasons>,
): Promise<Reasons> {
  const lines: string[] = [];
  const server = new ServerProcess({
    name: "server",
    host: "127.0.0.1",
    port: freePort(new Set()),
    flags,
    deno: runtime.path,
    onLine: (_, line) => lines.push(line),
    onCrash: () => {}, // Its exit status reports it.
  });
  runtime.signal.throwIfAborted();
  let reasons: Reasons = [];
  try {
    await server.start();
    const { pid } = server;
    reasons = await work(server);
    if (server.isRunning && server.pid !== pid) {
      reasons = ["server has restarted", ...reasons];
    }
  } catch (error) {
    // A server that cannot serve is a finding; its own output says why.
    if (!(error instanceof Failure)) throw error;
    return [error.message];
  } finally {
    // The server's end comes first: it explains what clients lost.
    const status = await server.stop("SIGTERM");
    tellEnd(runtime, "server", status.code, lines);
    reasons = [...judgeExit("server", status), ...reasons];
  }
  return reasons;
}

async function runClient(
  runtime: Runtime,
  server: ServerProcess,
  work: Work,
  options: { readonly calls: number; readonly workMs?: number },
): Promise<{ reasons: Reasons; disconnects: number }> {
  const { address } = server;
  const client = startClient(runtime, address, work, options.workMs);
  const { reasons, report } = await client.ended;
  return {
    reasons: [
      ...reasons,
      ...(report === undefined ? [] : judgeCalls(report, options.calls)),
    ],
    disconnects: report?.disconnects ?? Infinity,
  };
}

/** Runs clients one after another until one fails or the server is gone. */
async function inTurn(
  runtime: Runtime,
  server: ServerProcess,
  work: Work,
  { clients, calls }: { readonly clients: number; readonly calls: number },
): Promise<Reasons> {
  for (let number = 1; number <= clients; number += 1) {
    const { reasons } = await runClient(runtime, server, work, { calls });
    if (reasons.length > 0 || !server.isRunning) {
      return [...reasons, `at client ${number} of ${clients}`];
    }
  }
  return [];
}

function closingClients(runtime: Runtime, plan: Plan): Promise<Reasons> {
  const calls = plan.callsPerClient;
  return withServer(runtime, [], (server) =>
    inTurn(runtime, server, {
      kind: "load",
      calls,
      concurrency: CONCURRENCY,
    }, { clients: plan.closingClients, calls }));
}

function freshConnections(runtime: Runtime, plan: Plan): Promise<Reasons> {
  return withServer(
    runtime,
    [],
    (server) =>
      inTurn(runtime, server, {
        kind: "connections",
        connections: CONNECTIONS,
        callsAfter: 0,
        limitMs: 0,
      }, { clients: plan.freshClients, calls: CONNECTIONS }),
  );
}

function idleGoaway(runtime: Runtime, { idleMs }: Plan): Promise<Reasons> {
  const flags = ["--max-connection-age", String(idleMs)];
  return withServer(runtime, flags, async (server) => {
    const limitMs = ageLimitMs(idleMs);
    const { reasons, disconnects } = await runClient(runtime, server, {
      kind: "connections",
      connections: CONNECTIONS,
      callsAfter: CALLS_AFTER_IDLE,
      limitMs,
    }, { calls: CONNECTIONS * (1 + CALLS_AFTER_IDLE), workMs: limitMs });
    return [...reasons, ...judgeDisconnects(disconnects, CONNECTIONS)];
  });
}

function connectionAge(runtime: Runtime): Promise<Reasons> {
  const flags = ["--max-connection-age", String(MAX_AGE_MS)];
  return withServer(runtime, flags, async (server) => {
    const calls = AGE_LOAD_PER_S * AGE_LOAD_MS / 1000;
    const { reasons, disconnects } = await runClient(
      runtime,
      server,
      { kind: "load", ratePerS: AGE_LOAD_PER_S, calls },
      { calls, workMs: AGE_LOAD_MS },
    );
    const min = Math.floor(AGE_LOAD_MS / ageLimitMs(MAX_AGE_MS));
    return [...reasons, ...judgeDisconnects(disconnects, min)];
  });
}

/** The checks of the quick plan. */
export const QUICK_CHECKS: readonly Check[] = [
  { title: "closing clients", run: closingClients },
  { title: "fresh connections", run: freshConnections },
];

/** Further, slow checks. */
export const SLOW_CHECKS: readonly Check[] = [
  { title: "idle GOAWAY", run: idleGoaway },
  { title: "connection age", run: connectionAge },
];
