/**
 * Peers who want a server's memory, each in another way: a header that is sent
 * once and referred to 36,300 times; streams whose replies nobody takes; calls
 * that are opened and never go on; messages that lack their last byte. They
 * come through the L4 listener, which is how a peer gets at a server itself.
 *
 * What is measured, four times a second: the resident memory of every server;
 * how soon it is small again afterwards; and whether callers on the balanced
 * listener lose a call. A server counts what it holds for peers, refuses new
 * calls and ends connections. The control has a server that does not.
 */
import type { Experiment } from "../src/experiment/experiment.ts";
import { measuredBetween } from "../src/experiment/judge.ts";
import {
  measureMemoryBack,
  memoryAtMost,
  noServerStartedAgain,
  whileMemoryIsWatched,
} from "../src/experiment/memory.ts";
import {
  endlessStreams,
  headerBomb,
  openCalls,
  partialMessages,
  ZERO_WINDOW_OPENING,
} from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import type { RunContext } from "../src/experiment/run_context.ts";
import { pause } from "../src/io/wait.ts";
import { noOtherCallIsLost } from "./_claims.ts";

/** What a server may take at most: what its container has. */
const SERVER_MIB_MAX = 256;

/** What it takes when the peers have gone. */
const BACK_MIB_MAX = 150;

const BACK_MS_MAX = 20_000;

/** Where the control stops. */
const STOP_MIB = 600;

/** In this time all peers of a kind come, one after the other. */
const COMING_MS = 3000;

/** Between what a peer writes: it is memory that it wants, not time. */
const PART_PAUSE_MS = 150;

/** How long they stay after that. */
const STAY_MS = 2000;

const MIB = 1_048_576;

/** A kind of peer. */
interface Kind {
  readonly label: string;
  readonly connections: number;
  /** Calls on each connection. */
  readonly calls: number;
  /** Whether it reads what comes back (default true). */
  readonly isReading?: boolean;
  /** What each connection sends. */
  readonly parts: () => Iterable<Uint8Array>;
}

const KINDS: readonly Kind[] = [
  {
    label: "9 peers, each with a header of 3.9 KB, referred to 36,300 times",
    connections: 9,
    calls: 301,
    parts: () => [headerBomb(3900, 300, 121)],
  },
  {
    label: "30 peers, each with 100 streams whose replies nobody takes",
    connections: 30,
    calls: 100,
    isReading: false,
    parts: () => [endlessStreams(1000, 100, ZERO_WINDOW_OPENING)],
  },
  {
    label: "9 peers, each with 1024 calls that never go on",
    connections: 9,
    calls: 1024,
    parts: () => openCalls(1024),
  },
  {
    label: "12 peers, each with 10 messages of 1 MiB that lack a byte",
    connections: 12,
    calls: 10,
    parts: () => partialMessages(10, MIB - 1),
  },
];

/** Writes until all is written, or the other side takes no more, at leisure. */
async function send(
  peer: RawPeer,
  parts: Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for (const part of parts) {
    if (signal.aborted || !await peer.write(part)) return;
    await pause(PART_PAUSE_MS, signal);
  }
}

/** One kind of peers, who come one after the other and stay for a while. */
async function attack(
  run: RunContext,
  kind: Kind,
  signal: AbortSignal,
): Promise<void> {
  const { label, connections, calls, isReading = true, parts } = kind;
  const now = () => run.elapsedMs();
  run.mark(label);
  const peers: RawPeer[] = [];
  try {
    while (peers.length < connections && !signal.aborted) {
      const peer = await RawPeer.open(run.stack.l4Endpoint, { now, isReading });
      peers.push(peer);
      run.addDirectCalls(calls);
      // Not awaited: who is not read from any more waits until it is closed.
      void send(peer, parts(), signal);
      await pause(COMING_MS / connections, signal);
    }
    await pause(STAY_MS, signal);
  } finally {
    peers.forEach((peer) => peer.close());
  }
}

const SERVERS = ["server-1", "server-2", "server-3"];

/** Can peers take a server's memory? */
export const hostilePeers: Experiment = {
  name: "hostile-peers",
  question: "Can peers who hold on to everything take a server's memory?",
  isForDocker: true,
  setup: { servers: SERVERS.length },
  load: { ratePerS: 100, durationMs: 26_000 },
  events: [{
    atMs: 1000,
    label: "hostile peers",
    do: async (run) => {
      await whileMemoryIsWatched(run, STOP_MIB, async (signal) => {
        for (const kind of KINDS) {
          if (!signal.aborted) await attack(run, kind, signal);
        }
      });
      run.mark("all peers have gone");
      await measureMemoryBack(run, BACK_MIB_MAX, BACK_MS_MAX);
    },
  }],
  claims: [
    {
      id: "memory",
      text: `no server ever takes more than ${SERVER_MIB_MAX} MiB`,
      judge: memoryAtMost(SERVERS, SERVER_MIB_MAX),
    },
    {
      id: "back",
      text: `every server is below ${BACK_MIB_MAX} MiB again within ${
        BACK_MS_MAX / 1000
      } s`,
      judge: measuredBetween("memory back after", {
        max: BACK_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "same",
      text: "no server has to start again",
      judge: noServerStartedAgain(),
    },
    noOtherCallIsLost,
  ],
  control: {
    about: "servers count nothing that they hold: grpc-js on node:http2",
    setup: { serverProgram: "experiments/control/plain_server.ts" },
    breaks: ["memory"],
  },
};
