/**
 * Messages that are too large, and readers that are too slow.
 *
 * First, requests of 5 MiB where a server accepts 1 MiB, compressed ones of 16
 * MiB that are a few KiB on the wire, and replies larger than their caller
 * accepts, and a call with much metadata; then streams of large replies whose callers read nothing. What is
 * measured: the status, how long it takes, and whether Envoy retries; how much
 * Envoy buffers of the unread streams; and how much memory it all needs. Small
 * windows and buffers keep Envoy from buffering streams and from retrying large
 * requests. The control has Envoy's default windows, larger buffers, and
 * retries such calls.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  connectionManager,
  type Experiment,
  grpcCluster,
  measuredBetween,
  measureMemory,
  memoryGrowsAtMost,
  type NamedChange,
  routeAction,
  type RunContext,
  statGrows,
  upstreamHttp2,
} from "../src/experiment/authors.ts";
import { endlessStreams } from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { Greeter } from "../src/io/proto.ts";
import {
  callBytes,
  callToEnd,
  connect,
  type ConnectOptions,
} from "../src/io/rpc.ts";
import { noOtherCallIsLost } from "./_claims.ts";

const MIB = 1_048_576;

const LONG_BYTES = 5 * MIB;

const PACKED_BYTES = 16 * MIB;

/** Calls of each kind. */
const CALLS = 5;

const REFUSED_MS_MAX = 1000;

/** Few: in the control, Envoy buffers 17 MiB for each, and may use 128. */
const SLOW_READERS = 4;

const SLOW_MS = 4000;

/** Length of the name, and so roughly of a reply. */
const REPLY_BYTES = 1000;

/**
 * An unread stream has twice 64 KiB in windows, and as much again in the
 * buffers of Envoy and the system.
 */
const STORED_KIB_MAX = 256;

const MEMORY_MIB_MAX = 64;

/** The convention is 8 KiB, other headers included. */
const METADATA_BYTES = 7000;

const SAY_HELLO = "/demo.v1.Greeter/SayHello";

/** Makes calls of one kind, one after the other, and measures the refusals. */
async function refuseAll(
  run: RunContext,
  options: ConnectOptions,
  bytes: number,
): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint, options);
  const request = new Uint8Array(bytes);
  for (let made = 0; made < CALLS && !run.signal.aborted; made += 1) {
    run.addCalls(1);
    const startMs = run.elapsedMs();
    const { status } = await callBytes(client, SAY_HELLO, request, {
      deadlineMs: 5000,
    });
    run.measure("refused after", run.elapsedMs() - startMs);
    run.measure("refused", status === "RESOURCE_EXHAUSTED" ? 1 : 0);
  }
  client.close();
}

/** Sends messages that are too large in three ways. */
async function sendLong(run: RunContext): Promise<void> {
  await measureMemory(run);
  await refuseAll(run, {}, LONG_BYTES);
  await refuseAll(run, { compresses: true }, PACKED_BYTES);
  await refuseAll(run, { maxMessageBytes: 8 }, 0);
  await measureMemory(run);
}

/** How much Envoy has received from servers so far. */
async function receivedKib({ stack }: RunContext): Promise<number> {
  const name = "^cluster\\.grpc-server\\.upstream_cx_rx_bytes_total$";
  const stats = await stack.admin.stats(name);
  return [...stats.values()].reduce((sum, value) => sum + value, 0) / 1024;
}

/** Opens streams and reads none of them. */
async function readSlowly(run: RunContext): Promise<void> {
  const { endpoint } = run.stack;
  const kibBefore = await receivedKib(run);
  const readers = await RawPeer.openMany(SLOW_READERS, endpoint, false);
  try {
    run.addCalls(SLOW_READERS);
    await Promise.all(
      readers.map((peer) => peer.write(endlessStreams(REPLY_BYTES))),
    );
    await run.wait(SLOW_MS);
    const kib = await receivedKib(run) - kibBefore;
    run.measure("KiB buffered per reader", kib / SLOW_READERS);
    await measureMemory(run);
  } finally {
    readers.forEach((peer) => peer.close());
  }
}

/** Makes a call with as much metadata as gRPC allows by convention. */
async function sendMetadata(run: RunContext): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  run.addCalls(1);
  const { status } = await callToEnd(client, "SayHello", {}, {
    deadlineMs: 2000,
    metadata: { note: "x".repeat(METADATA_BYTES) },
  });
  client.close();
  run.measure("calls with metadata answered", status === "OK" ? 1 : 0);
}

/** Less metadata than the convention, but the rest of it as it is. */
const smallHeaders: NamedChange = {
  name: "headers of at most 4 KiB",
  apply: (config) => {
    connectionManager(config)["max_request_headers_kb"] = 4;
  },
};

/** Default windows, room for large requests, and retries of them. */
const largeBuffers: NamedChange = {
  name: "Envoy's default windows, large buffers, retries of messages too large",
  apply: (config) => {
    const http2 = partAt(connectionManager(config), "http2_protocol_options");
    delete http2["initial_stream_window_size"];
    delete http2["initial_connection_window_size"];
    const cluster = grpcCluster(config);
    const upstream = upstreamHttp2(config);
    delete upstream["initial_stream_window_size"];
    delete upstream["initial_connection_window_size"];
    cluster["per_connection_buffer_limit_bytes"] = 2 * LONG_BYTES;
    for (const listener of config.static_resources.listeners) {
      listener["per_connection_buffer_limit_bytes"] = 2 * LONG_BYTES;
    }
    const policy = partAt(routeAction(config, "unary"), "retry_policy");
    policy["retry_on"] += ",resource-exhausted";
  },
};

export const oversize: Experiment = {
  name: "oversize",
  question:
    "Do oversized messages and slow readers cost memory or other calls?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 9000 },
  events: [{
    atMs: 500,
    label: "messages that are too large",
    do: async (run) => {
      await sendMetadata(run);
      await sendLong(run);
      run.mark(`${SLOW_READERS} callers that do not read`);
      await readSlowly(run);
    },
  }],
  claims: [
    {
      id: "refused",
      text: "every oversized message ends with RESOURCE_EXHAUSTED",
      judge: measuredBetween("refused", { min: 1 }),
    },
    {
      id: "fast",
      text: `the refusal takes at most ${REFUSED_MS_MAX} ms`,
      judge: measuredBetween("refused after", {
        max: REFUSED_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "once",
      text: "Envoy does not retry it",
      judge: statGrows("upstream_rq_retry", { max: 0 }),
    },
    {
      id: "stored",
      text: `Envoy buffers at most ${STORED_KIB_MAX} KiB of a stream whose ` +
        "caller reads nothing",
      judge: measuredBetween("KiB buffered per reader", {
        min: 1,
        max: STORED_KIB_MAX,
      }),
    },
    {
      id: "metadata",
      text: `a call with ${METADATA_BYTES / 1000} KB of metadata is answered`,
      judge: measuredBetween("calls with metadata answered", { min: 1 }),
    },
    {
      id: "memory",
      text: `Envoy and each server grow by at most ${MEMORY_MIB_MAX} MiB`,
      judge: memoryGrowsAtMost(
        ["envoy", "server-1", "server-2", "server-3"],
        MEMORY_MIB_MAX,
      ),
    },
    noOtherCallIsLost,
  ],
  control: {
    about: largeBuffers.name,
    changes: [largeBuffers],
    breaks: ["once", "stored"],
  },
  furtherControls: [{
    about: smallHeaders.name,
    changes: [smallHeaders],
    load: { durationMs: 1000 },
    events: [{ atMs: 100, label: "large metadata", do: sendMetadata }],
    breaks: ["metadata"],
  }],
};
