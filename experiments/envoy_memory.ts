/**
 * Callers that take none of their replies, 20 connections with 100 streams
 * each, in four ways: they read nothing at all; they give Envoy a window of 0;
 * they chat and read nothing; they ask for short streams, which the servers
 * finish quickly, so that only Envoy holds them.
 *
 * What is measured, ten times a second: how much of its heap Envoy uses, as its
 * overload manager counts it; how soon that falls again once the peers are
 * gone; and whether a caller that reads loses a call. Streams have a limit of
 * their own, and Envoy resets those that hold the most memory. The control has
 * one limit for streams and calls, and resets none. All traffic stays on this
 * machine.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  type Experiment,
  grpcCluster,
  lostAtMost,
  measuredBetween,
  type NamedChange,
  routeAction,
  type RunContext,
} from "../src/experiment/authors.ts";
import {
  callAt,
  manyHellos,
  OPENING,
  textMessage,
  ZERO_WINDOW_OPENING,
} from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { join } from "../src/core/http2_wire.ts";

const CONNECTIONS = 20;

/** Streams on each connection: as many as Envoy allows. */
const STREAMS = 100;

/** How long each kind of peer stays. */
const STAY_MS = 5000;

const WATCH_INTERVAL_MS = 100;

/** At 98 % Envoy refuses all new calls. */
const HEAP_PERCENT_MAX = 90;

/**
 * What Envoy may use of its heap once the peers are gone, in percent: below the
 * level at which it resets streams.
 */
const BACK_PERCENT_MAX = 39;

const BACK_MS_MAX = 5000;

/** Length of each name and text. */
const TEXT_BYTES = 1000;

/** Texts in each chat: together they fit into a stream's window. */
const TEXTS = 60;

const PRESSURE = "overload.envoy.resource_monitors.fixed_heap.pressure";

/** As envoy.yaml names them. */
const STREAM_ROUTES = [
  "stream-hellos",
  "chat",
  "health",
  "reflection",
  "reflection-v1alpha",
] as const;

/** A kind of peer. */
interface Kind {
  readonly label: string;
  readonly method: "StreamHellos" | "Chat";
  /** What each call sends. */
  readonly request: Uint8Array;
  /** Whether they give Envoy a window of 0 (default false). */
  readonly hasNoWindow?: boolean;
}

const KINDS: readonly Kind[] = [
  {
    label: "long streams, nothing read",
    method: "StreamHellos",
    request: manyHellos(TEXT_BYTES),
  },
  {
    label: "long streams, windows of 0",
    method: "StreamHellos",
    request: manyHellos(TEXT_BYTES),
    hasNoWindow: true,
  },
  {
    label: "chats, nothing read",
    method: "Chat",
    request: join(
      ...Array.from({ length: TEXTS }, () => textMessage(TEXT_BYTES)),
    ),
  },
  {
    label: "short streams, windows of 0",
    method: "StreamHellos",
    request: textMessage(TEXT_BYTES, 0x10, TEXTS),
    hasNoWindow: true,
  },
];

/** What each peer of a kind sends. */
function* partsOf(
  { method, request, hasNoWindow = false }: Kind,
): Generator<Uint8Array> {
  yield hasNoWindow ? ZERO_WINDOW_OPENING : OPENING;
  for (let index = 0; index < STREAMS; index += 1) {
    yield callAt(index, method, request, method === "StreamHellos");
  }
}

/** How much of its heap Envoy uses now, in percent. */
async function heapPercent({ stack }: RunContext): Promise<number> {
  const stats = await stack.admin.stats(`^${RegExp.escape(PRESSURE)}$`);
  const percent = stats.get(PRESSURE);
  if (percent === undefined) throw new TypeError(`Envoy has no "${PRESSURE}"`);
  return percent;
}

/** Runs one kind of peer and watches Envoy's heap meanwhile. */
async function attack(run: RunContext, kind: Kind): Promise<void> {
  const { endpoint } = run.stack;
  const peers = await RawPeer.openMany(CONNECTIONS, endpoint, false);
  try {
    // How many calls reach Envoy depends on which it resets, and when.
    const calls = peers.length * STREAMS;
    run.addCalls(calls, calls);
    // Not awaited: once Envoy stops reading, the write waits until the close.
    for (const peer of peers) {
      void peer.writeAll(partsOf(kind), 0, run.signal);
    }
    const untilMs = run.elapsedMs() + STAY_MS;
    let most = 0;
    while (run.elapsedMs() < untilMs && !run.signal.aborted) {
      most = Math.max(most, await heapPercent(run));
      await run.wait(WATCH_INTERVAL_MS);
    }
    run.measure("most of the heap", most);
  } finally {
    peers.forEach((peer) => peer.close());
  }
}

/** Waits until the heap usage has fallen again. */
async function measureBack(run: RunContext): Promise<void> {
  const startMs = run.elapsedMs();
  while (!run.signal.aborted) {
    const percent = await heapPercent(run);
    const tookMs = run.elapsedMs() - startMs;
    if (percent <= BACK_PERCENT_MAX || tookMs > BACK_MS_MAX) {
      run.measure("heap back after", tookMs);
      return;
    }
    await run.wait(WATCH_INTERVAL_MS);
  }
}

/** Streams count as calls, and none is reset for its memory. */
const oneLimit: NamedChange = {
  name: "one limit for streams and calls, no stream is reset",
  apply: (config) => {
    for (const name of STREAM_ROUTES) {
      delete routeAction(config, name)["priority"];
    }
    const breakers = partAt(grpcCluster(config), "circuit_breakers");
    const thresholds = Object.values(partAt(breakers, "thresholds"));
    breakers["thresholds"] = thresholds.filter((one) =>
      partAt(one)["priority"] !== "HIGH"
    );
    const manager = partAt(config, "overload_manager");
    const actions = Object.values(partAt(manager, "actions"));
    manager["actions"] = actions.filter((one) =>
      !String(partAt(one)["name"]).endsWith(".reset_high_memory_stream")
    );
  },
};

export const envoyMemory: Experiment = {
  name: "envoy-memory",
  question:
    "Do callers that read nothing exhaust Envoy's memory or cost other calls?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 30_000 },
  events: [{
    atMs: 1000,
    label: `${CONNECTIONS * STREAMS} streams that nobody reads`,
    do: async (run) => {
      for (const kind of KINDS) {
        if (run.signal.aborted) break;
        run.mark(kind.label);
        await attack(run, kind);
        run.mark("these peers are gone");
        await measureBack(run);
      }
    },
  }],
  claims: [
    {
      id: "heap",
      text: `Envoy never uses more than ${HEAP_PERCENT_MAX} % of its heap`,
      judge: measuredBetween("most of the heap", {
        max: HEAP_PERCENT_MAX,
        unit: "%",
      }),
    },
    {
      id: "back",
      text: `it falls back to ${BACK_PERCENT_MAX} % within ${BACK_MS_MAX} ms`,
      judge: measuredBetween("heap back after", {
        max: BACK_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "lost",
      text: "callers that read lose no call",
      judge: lostAtMost(0),
    },
  ],
  control: {
    about: oneLimit.name,
    changes: [oneLimit],
    breaks: ["heap", "lost"],
  },
};
