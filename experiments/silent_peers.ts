/**
 * Peers connect and send nothing: 1,000 and then 3,000 to the L4 listener,
 * which balances connections, then 3,000 to the one that balances calls.
 *
 * What is measured: whether callers that connect to the other listener
 * meanwhile lose a call; how long wait-for-ready callers of the same listener
 * wait; and how long a silent connection lives. Each listener has its own
 * limit, and a filter that waits 2 s for the first bytes. The control has one
 * limit for both, and no such filter. All traffic stays on this machine.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  dropListenerLimits,
  type Experiment,
  lostAtMost,
  measuredBetween,
  type NamedChange,
  type RunContext,
} from "../src/experiment/authors.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter } from "../src/io/proto.ts";
import { callBytes, type CallOptions, connect } from "../src/io/rpc.ts";

/** As many as the limit once shared by both listeners, and three times that. */
const SOME_PEERS = 1000;
const MANY_PEERS = 3000;

/** `listener_filters_timeout` is 2 s; a busy machine gets two more. */
const SILENCE_MS_MAX = 4000;

/** How long silent peers are watched. */
const WATCH_MS = SILENCE_MS_MAX + 500;

/** New callers arrive at this rate. */
const NEWCOMERS_PER_S = 10;

const DEADLINE_MS = 2000;

/** A wait-for-ready caller outwaits one silence, and a little more. */
const PATIENCE_MS = SILENCE_MS_MAX + 4000;

/** The limit from before each listener had its own. */
const SHARED_CONNECTIONS_MAX = SOME_PEERS;

/**
 * Servers do not count health checks, so calls through L4 leave the ledgers
 * alone.
 */
const CHECK = "/grpc.health.v1.Health/Check";

/** One call on a connection of its own. @returns Whether it was answered. */
async function callAnew(
  target: string,
  options: CallOptions,
): Promise<boolean> {
  const client = connect(Greeter, target);
  const end = await callBytes(client, CHECK, new Uint8Array(), options);
  client.close();
  return end.status === "OK";
}

/** New callers of one listener, while silent peers fill the other. */
async function newcomers(run: RunContext, target: string): Promise<void> {
  let lost = 0;
  const { made } = await runOpenLoop({
    ratePerS: NEWCOMERS_PER_S,
    count: NEWCOMERS_PER_S * WATCH_MS / 1000,
    signal: run.signal,
    makeCall: async () => {
      if (!await callAnew(target, { deadlineMs: DEADLINE_MS })) lost += 1;
    },
  });
  // Envoy counts no calls on its L4 listener.
  if (target === run.stack.endpoint) run.addCalls(made, lost);
  run.measure("newcomers", made);
  run.measure("newcomers lost", lost);
}

/** A new wait-for-ready caller of the listener that silent peers fill. */
async function waitForReadyNewcomer(
  run: RunContext,
  target: string,
): Promise<void> {
  const startMs = run.elapsedMs();
  const isAnswered = await callAnew(target, {
    deadlineMs: PATIENCE_MS,
    waitForReady: true,
  });
  if (target === run.stack.endpoint) run.addCalls(1, isAnswered ? 0 : 1);
  run.measure("wait-for-ready newcomer lost", isAnswered ? 0 : 1);
  run.measure("wait-for-ready newcomer waits", run.elapsedMs() - startMs);
}

/** Fills one listener with silent peers while new callers come to both. */
async function fill(
  run: RunContext,
  peers: number,
  filled: string,
  other: string,
): Promise<void> {
  if (run.signal.aborted) return;
  const openedMs = performance.now();
  const silent = await RawPeer.openMany(peers, filled);
  try {
    run.measure("silent peers", silent.length);
    await Promise.all([
      newcomers(run, other),
      waitForReadyNewcomer(run, filled),
    ]);
    const nowMs = performance.now();
    const lives = silent.map((peer) => (peer.closedAtMs ?? nowMs) - openedMs);
    run.measure("longest silence", Math.max(...lives));
  } finally {
    silent.forEach((peer) => peer.close());
  }
}

/** One limit for all listeners, and silence without limit. */
const oneLimit: NamedChange = {
  name: "one connection limit for all listeners, none on silence",
  apply: (config) => {
    dropListenerLimits(config);
    const monitors = partAt(config, "overload_manager", "resource_monitors");
    for (const monitor of Object.values(monitors)) {
      const limits = partAt(monitor, "typed_config");
      if (!("max_active_downstream_connections" in limits)) continue;
      limits["max_active_downstream_connections"] = SHARED_CONNECTIONS_MAX;
    }
    for (const listener of config.static_resources.listeners) {
      delete listener["listener_filters"];
      delete listener["listener_filters_timeout"];
    }
  },
};

export const silentPeers: Experiment = {
  name: "silent-peers",
  question: "Do peers that connect and send nothing keep callers out?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 18_000 },
  events: [{
    atMs: 1000,
    label: `${SOME_PEERS} silent connections to the L4 listener`,
    do: async (run) => {
      const { endpoint, l4Endpoint } = run.stack;
      await fill(run, SOME_PEERS, l4Endpoint, endpoint);
      run.mark(`${MANY_PEERS} to the L4 listener`);
      await fill(run, MANY_PEERS, l4Endpoint, endpoint);
      run.mark(`${MANY_PEERS} to the balanced listener`);
      await fill(run, MANY_PEERS, endpoint, l4Endpoint);
    },
  }],
  claims: [
    {
      id: "connected",
      text: "callers already connected lose no call",
      judge: lostAtMost(0),
    },
    {
      id: "newcomers",
      text: "new callers of the other listener lose no call",
      judge: measuredBetween("newcomers lost", { max: 0 }),
    },
    {
      id: "silence",
      text: `Envoy closes every silent connection within ${SILENCE_MS_MAX} ms`,
      judge: measuredBetween("longest silence", {
        max: SILENCE_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "wait-for-ready",
      text: "a new wait-for-ready caller of the same listener loses no call",
      judge: measuredBetween("wait-for-ready newcomer lost", { max: 0 }),
    },
  ],
  control: {
    about: oneLimit.name,
    changes: [oneLimit],
    breaks: ["newcomers", "silence"],
  },
  limits: [{
    text: "While silent peers fill a listener, its new callers are refused " +
      "for up to 2 s, or for as long as peers keep connecting",
    reason: "Envoy limits connections per listener, not per peer, and " +
      "peers on one machine share an address anyway",
    reference: "connection_limit and listener_filters_timeout in envoy.yaml",
  }],
};
