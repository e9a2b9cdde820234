/**
 * Peers that try to exhaust a server's memory in four ways: a header sent once
 * and referred to 36,300 times; streams whose replies are never read; calls
 * that are opened and never continued; messages that lack their last byte. They
 * come through the L4 listener, which gives a peer direct access to a server.
 *
 * What is measured, four times a second: the resident memory of every server;
 * how soon it falls again afterwards; and whether callers on the balanced
 * listener lose a call. A server counts what it holds for its peers, refuses
 * new calls and closes connections. The server in the control does not.
 */
import {
  type Experiment,
  measureMemoryBack,
  MEMORY_TIMERS_LATE_MS_MAX,
  memoryAtMost,
  memoryIsBack,
  noServerRestarts,
  type RunContext,
  whileMemoryIsWatched,
} from "../src/experiment/authors.ts";
import {
  endlessStreams,
  headerBomb,
  openCalls,
  partialMessages,
  ZERO_WINDOW_OPENING,
} from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { pause } from "../src/io/wait.ts";
import { noOtherCallIsLost } from "./_claims.ts";

/** What its container allows a server. */
const SERVER_MIB_MAX = 256;

/** The time over which all peers of a kind connect, one after the other. */
const COMING_MS = 3000;

/** Between a peer's writes: the attack is on memory, not on the CPU. */
const PART_PAUSE_MS = 150;

/** How long they stay connected after that. */
const STAY_MS = 2000;

const MIB = 1_048_576;

/** A kind of peer. */
interface Kind {
  readonly label: string;
  readonly connections: number;
  /** Calls on each connection. */
  readonly calls: number;
  /** Whether it reads replies (default true). */
  readonly isReading?: boolean;
  /** What each connection sends. */
  readonly parts: () => Iterable<Uint8Array>;
}

const KINDS: readonly Kind[] = [
  {
    label:
      "9 peers, each with a header of 3.9 KB that is referred to 36,300 times",
    connections: 9,
    calls: 301,
    parts: () => [headerBomb(3900, 300, 121)],
  },
  {
    label: "30 peers, each with 100 streams whose replies are never read",
    connections: 30,
    calls: 100,
    isReading: false,
    parts: () => [endlessStreams(1000, 100, ZERO_WINDOW_OPENING)],
  },
  {
    label: "9 peers, each with 1024 calls that are never continued",
    connections: 9,
    calls: 1024,
    parts: () => openCalls(1024),
  },
  {
    label: "12 peers, each with 10 messages of 1 MiB that lack their last byte",
    connections: 12,
    calls: 10,
    parts: () => partialMessages(10, MIB - 1),
  },
];

/** Connects the peers of one kind one after the other and lets them stay. */
async function attack(
  run: RunContext,
  kind: Kind,
  signal: AbortSignal,
): Promise<void> {
  const { label, connections, calls, isReading = true, parts } = kind;
  run.mark(label);
  const peers: RawPeer[] = [];
  try {
    while (peers.length < connections && !signal.aborted) {
      const peer = await RawPeer.open(run.stack.l4Endpoint, isReading);
      peers.push(peer);
      run.addDirectCalls(calls);
      // Not awaited: once the server stops reading, it waits until the close.
      void peer.writeAll(parts(), PART_PAUSE_MS, signal);
      await pause(COMING_MS / connections, signal);
    }
    await pause(STAY_MS, signal);
  } finally {
    peers.forEach((peer) => peer.close());
  }
}

const SERVERS = ["server-1", "server-2", "server-3"];

export const hostilePeers: Experiment = {
  name: "hostile-peers",
  question: "Can peers that never let go exhaust a server's memory?",
  isForDocker: true,
  setup: {
    servers: SERVERS.length,
    timersLateMsMax: MEMORY_TIMERS_LATE_MS_MAX,
  },
  load: { ratePerS: 100, durationMs: 26_000 },
  events: [{
    atMs: 1000,
    label: "hostile peers",
    do: async (run) => {
      await whileMemoryIsWatched(run, async (signal) => {
        for (const kind of KINDS) {
          if (!signal.aborted) await attack(run, kind, signal);
        }
      });
      run.mark("all peers are gone");
      await measureMemoryBack(run);
    },
  }],
  claims: [
    {
      id: "memory",
      text: `no server ever takes more than ${SERVER_MIB_MAX} MiB`,
      judge: memoryAtMost(SERVERS, SERVER_MIB_MAX),
    },
    memoryIsBack,
    noServerRestarts,
    noOtherCallIsLost,
  ],
  control: {
    about: "servers do not count what they hold: grpc-js on node:http2",
    setup: { serverProgram: "experiments/control/plain_server.ts" },
    breaks: ["memory"],
  },
};
