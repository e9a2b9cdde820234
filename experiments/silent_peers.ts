/**
 * Peers connect and say nothing: 1,000 and then 3,000 to the listener that
 * balances connections, then 3,000 to the one that balances calls.
 *
 * What is measured: whether callers who connect to the other listener
 * meanwhile lose a call; how long callers who connect to the same listener
 * wait, with patience; and how long a silent connection lives. Each listener
 * has a limit of its own, and a filter that waits for the first bytes for 2 s.
 * The control has one limit for both, and no such filter. All of it stays on
 * this machine.
 */
import { partAt } from "../src/core/yaml.ts";
import { dropListenerLimits } from "../src/experiment/changes.ts";
import type { Experiment, NamedChange } from "../src/experiment/experiment.ts";
import { lostAtMost, measuredBetween } from "../src/experiment/judge.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import type { RunContext } from "../src/experiment/run_context.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter } from "../src/io/proto.ts";
import { callBytes, type CallOptions, connect } from "../src/io/rpc.ts";

/** As many as the limit was that both listeners shared, and three times. */
const SOME_PEERS = 1000;
const MANY_PEERS = 3000;

/** `listener_filters_timeout` is 2 s; two more for a busy machine. */
const SILENCE_MS_MAX = 4000;

/** How long silent peers are watched. */
const WATCH_MS = SILENCE_MS_MAX + 500;

/** Newcomers come one after the other. */
const NEWCOMERS_PER_S = 10;

const DEADLINE_MS = 2000;

/** Who waits for a connection waits through a silence, and a little more. */
const PATIENCE_MS = SILENCE_MS_MAX + 4000;

/** As before there was one for each listener. */
const SHARED_CONNECTIONS_MAX = SOME_PEERS;

/** Servers count no health checks, so the ledger needs none of L4's calls. */
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

/** Newcomers at one listener, while silent peers fill another. */
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

/** A newcomer with wait-for-ready, at the listener that silent peers fill. */
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

/** Fills one listener with silent peers; callers go to the other, and to it. */
async function fill(
  run: RunContext,
  peers: number,
  filled: string,
  other: string,
): Promise<void> {
  if (run.signal.aborted) return;
  const now = () => run.elapsedMs();
  const openedMs = run.elapsedMs();
  const silent = await RawPeer.openMany(peers, filled, { now });
  try {
    run.measure("silent peers", silent.length);
    await Promise.all([
      newcomers(run, other),
      waitForReadyNewcomer(run, filled),
    ]);
    const lives = silent.map((peer) => (peer.closedAtMs ?? now()) - openedMs);
    run.measure("longest silence", Math.max(...lives));
  } finally {
    silent.forEach((peer) => peer.close());
  }
}

/** One limit for all listeners, and silence for as long as one likes. */
const oneLimit: NamedChange = {
  name: "one limit of connections for all listeners, none of silence",
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

/** Can peers who say nothing keep callers out? */
export const silentPeers: Experiment = {
  name: "silent-peers",
  question: "Do peers who connect and say nothing keep callers out?",
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
      run.mark(`${MANY_PEERS} to the listener of calls`);
      await fill(run, MANY_PEERS, endpoint, l4Endpoint);
    },
  }],
  claims: [
    {
      id: "connected",
      text: "who is connected loses no call",
      judge: lostAtMost(0),
    },
    {
      id: "newcomers",
      text: "who connects to the other listener meanwhile loses no call",
      judge: measuredBetween("newcomers lost", { max: 0 }),
    },
    {
      id: "silence",
      text: `Envoy ends every silent connection within ${SILENCE_MS_MAX} ms`,
      judge: measuredBetween("longest silence", {
        max: SILENCE_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "wait-for-ready",
      text: "a newcomer with wait-for-ready at the same listener loses no call",
      judge: measuredBetween("wait-for-ready newcomer lost", { max: 0 }),
    },
  ],
  control: {
    about: "one limit of connections for all listeners, none of silence",
    changes: [oneLimit],
    breaks: ["newcomers", "silence"],
  },
  limits: [{
    text: "While silent peers fill a listener, new callers of that listener " +
      "are refused for up to 2 s, and for as long as peers go on connecting",
    reason: "Envoy has a limit for each listener, not for each peer, and " +
      "peers of one machine share their address anyway",
    reference: "connection_limit and listener_filters_timeout in envoy.yaml",
  }],
};
