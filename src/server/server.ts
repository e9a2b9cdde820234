/** One gRPC server as a value: start it, ask it, close it. */
import "./npm_protos.ts";
import { Server } from "@grpc/grpc-js";
import { hostPort } from "../core/values.ts";
import { Admin, Greeter, type ServerCounters } from "../io/proto.ts";
import { pause, waitUntil } from "../io/wait.ts";
import { chat } from "./chat.ts";
import { refuseFalseCompression } from "./compression.ts";
import type { ServerConfig } from "./config.ts";
import { countCalls, Counters } from "./counters.ts";
import { Faults, injectFaults } from "./faults.ts";
import { createIdentity } from "./greeting.ts";
import { Health, observeChecks } from "./health.ts";
import { Http2Listener } from "./http2/listener.ts";
import { openPort } from "./port.ts";
import {
  MemoryBudget,
  memoryLimitBytes,
  refuseCalls,
  SAMPLE_INTERVAL_MS,
} from "./memory.ts";
import { admin } from "./admin.ts";
import { createReflection } from "./reflection.ts";
import { sayHello } from "./say_hello.ts";
import { streamHellos } from "./stream_hellos.ts";

/** A server that listens. */
export interface RunningServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What it has counted so far. */
  counters(): ServerCounters;
  /** Resolves when it is near its memory limit and must be restarted. */
  readonly full: Promise<void>;
  /**
   * Stops it in order: health NOT_SERVING; wait until every checker has seen it
   * (at most `drainWaitMs`); GOAWAY; let calls finish; cancel what is left
   * after `closeDeadlineMs`.
   */
  close(): Promise<void>;
}

/**
 * After the last checker has seen NOT_SERVING, calls routed before that may
 * take another round trip to arrive.
 */
const SETTLE_MS = 100;

/** Envoy keeps one connection to a server, which must hold all its streams. */
const CONCURRENT_STREAMS_MAX = 1024;

/** The most metadata a call may have, in bytes: Envoy's limit. */
const HEADER_LIST_BYTES_MAX = 16_384;

/**
 * Starts a server.
 *
 * @param config As its flags give it, with the name resolved.
 * @param log Receives one line for each step of its life cycle.
 * @throws {Failure} `environment` when the port cannot be opened.
 */
export function startServer(
  config: Omit<ServerConfig, "hasDockerName">,
  log: (line: string) => void,
): RunningServer {
  const name = config.serverName;
  const counters = new Counters(name);
  const health = new Health();
  const limitBytes = memoryLimitBytes(config.memoryLimitMib);
  const listener = new Http2Listener({
    concurrentStreamsMax: CONCURRENT_STREAMS_MAX,
    headerListBytesMax: HEADER_LIST_BYTES_MAX,
    heldBytesMax: MemoryBudget.heldBytesMax(limitBytes),
    log,
  });
  const full = Promise.withResolvers<void>();
  const budget = new MemoryBudget({
    limitBytes,
    heldBytes: () => listener.heldBytes,
    isGreedy: (peer) => listener.isGreedy(peer),
    residentBytes: () => Deno.memoryUsage().rss,
    log,
    onFull: full.resolve,
  });
  const samples = setInterval(() => budget.sample(), SAMPLE_INTERVAL_MS);
  const faults = new Faults({
    setNotServing: (isNotServing) => health.setNotServing(isNotServing),
    dropConnection: (peer) => listener.drop(peer),
    setRefusing: (isRefusing) => listener.setRefusing(isRefusing),
  }, log);
  const server = new Server({
    "grpc.max_receive_message_length": config.maxMessageBytes,
    "grpc.max_send_message_length": config.maxMessageBytes,
    "grpc.enable_channelz": 0,
    ...(config.maxConnectionAgeMs === 0 ? {} : {
      "grpc.max_connection_age_ms": config.maxConnectionAgeMs,
      "grpc.max_connection_age_grace_ms": config.closeDeadlineMs,
    }),
    // The first is nearest to the wire, so the counters see injected faults.
    interceptors: [
      refuseFalseCompression,
      countCalls(counters),
      refuseCalls(budget),
      observeChecks(health),
      ...(config.allowFaults ? [injectFaults(faults)] : []),
    ],
  });
  const identity = createIdentity(name);
  server.addService(Greeter.service, {
    sayHello: sayHello.bind(null, identity),
    streamHellos: streamHellos.bind(null, identity),
    chat: chat.bind(null, identity),
  });
  server.addService(
    Admin.service,
    admin(counters, config.allowFaults ? faults : undefined),
  );
  health.addToServer(server);
  createReflection().addToServer(server);
  serveOn(server, listener);
  const port = openPort(listener, config.host, config.port);
  log(`serving on ${hostPort(config.host, port)}`);
  return {
    name,
    host: config.host,
    port,
    counters: () => counters.report(),
    full: full.promise,
    close: async () => {
      faults.clear();
      clearInterval(samples);
      await tellCheckers(health, config.drainWaitMs, log);
      log(`closing connections; calls in flight: ${counters.inFlight}`);
      await listener.close(config.closeDeadlineMs);
    },
  };
}

async function tellCheckers(
  health: Health,
  drainWaitMs: number,
  log: (line: string) => void,
): Promise<void> {
  health.stop();
  const count = health.uninformed().length;
  if (count === 0) return;
  log(`not serving; waiting for health checkers to see it: ${count}`);
  const isKnown = () => health.uninformed().length === 0;
  if (await waitUntil(isKnown, drainWaitMs)) await pause(SETTLE_MS);
  else log(`gave up waiting for health checkers after ${drainWaitMs} ms`);
}

/**
 * Makes grpc-js serve our listener in place of one of Node's.
 *
 * grpc-js has no API for that. It keeps a map from each HTTP/2 server to its
 * sessions, and registers two handlers on each server.
 */
function serveOn(server: Server, listener: Http2Listener): void {
  const internals = server as unknown as {
    readonly http2Servers: Map<unknown, unknown>;
    _setupHandlers(listener: Http2Listener, interceptors: readonly []): void;
  };
  internals.http2Servers.set(listener, { sessions: new Set() });
  internals._setupHandlers(listener, []);
}
