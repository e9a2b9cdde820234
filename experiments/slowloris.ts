/**
 * Slow peers hold connections: 500 send the headers of a call byte by byte,
 * then 2,000 more connect and send nothing at all.
 *
 * What is measured: how long Envoy waits for the headers of a call
 * (`request_headers_timeout` is 5 s); the most connections that it has at a
 * time (its limit is 600); and whether callers already connected lose a call.
 * The control has neither limit. All traffic stays on this machine.
 */
import { join } from "../src/core/http2_wire.ts";
import { callFields, headers } from "../src/io/http2_frames.ts";
import { type Fields, partAt } from "../src/core/yaml.ts";
import {
  connectionManager,
  dropListenerLimits,
  type Experiment,
  measuredBetween,
  measureMemory,
  type NamedChange,
  type RunContext,
} from "../src/experiment/authors.ts";
import { OPENING } from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { envoyGrowsAtMost, noOtherCallIsLost } from "./_claims.ts";

const SLOW_PEERS = 500;

const SILENT_PEERS = 2000;

/** Envoy's timeout is 5 s; a busy machine gets two more. */
const ANSWERED_MS_MAX = 7000;

/** As in envoy.yaml. */
const CONNECTIONS_MAX = 600;

/** How often one more byte of the headers is sent. */
const BYTE_INTERVAL_MS = 500;

/** How long after the slow peers the silent ones connect. */
const SILENT_AFTER_MS = 2000;

/** How long the attack lasts. */
const ATTACK_MS = ANSWERED_MS_MAX + 500;

const ENVOY_MIB_MAX = 64;

/** The headers of a call, whose last bytes are sent one by one. */
const CALL = headers(1, callFields());
const SLOW_BYTES = 32;
const SLOW_OPENING = join(OPENING, CALL.slice(0, -SLOW_BYTES));
const REST = CALL.slice(-SLOW_BYTES);

/** The connections on Envoy's balanced listener now, silent ones included. */
async function activeConnections({ stack }: RunContext): Promise<number> {
  const port = stack.endpoint.split(":").at(-1);
  const name = `^listener\\.[^:]*_${port}\\.downstream_(pre_)?cx_active$`;
  const stats = await stack.admin.stats(name);
  return [...stats.values()].reduce((sum, value) => sum + value, 0);
}

/** Attacks with both kinds of peers and watches Envoy. */
async function attack(run: RunContext): Promise<void> {
  await measureMemory(run);
  const { endpoint } = run.stack;
  const startMs = performance.now();
  const sinceMs = () => performance.now() - startMs;
  const slow = await RawPeer.openMany(SLOW_PEERS, endpoint);
  const silent: RawPeer[] = [];
  try {
    run.addCalls(slow.length, slow.length);
    await Promise.all(slow.map((peer) => peer.write(SLOW_OPENING)));
    const openedMs = performance.now();
    let activeMax = 0;
    for (let at = 0; sinceMs() < ATTACK_MS; at += 1) {
      if (run.signal.aborted) return;
      await run.wait(BYTE_INTERVAL_MS);
      // The last byte is never sent.
      const drip = REST.slice(at, Math.min(at + 1, SLOW_BYTES - 1));
      await Promise.all(slow.map((peer) => peer.write(drip)));
      if (silent.length === 0 && sinceMs() >= SILENT_AFTER_MS) {
        run.mark(`${SILENT_PEERS} silent connections`);
        silent.push(...await RawPeer.openMany(SILENT_PEERS, endpoint));
      }
      activeMax = Math.max(activeMax, await activeConnections(run));
    }
    await measureMemory(run);
    const nowMs = performance.now();
    const waits = slow.map((peer) => (peer.answeredAtMs ?? nowMs) - openedMs);
    run.measure("slow calls", slow.length);
    run.measure("longest slow call", Math.max(...waits));
    run.measure("most connections", activeMax);
  } finally {
    [...slow, ...silent].forEach((peer) => peer.close());
  }
}

/** Envoy waits without limit, and accepts every connection. */
const noLimits: NamedChange = {
  name: "no limit on the time for headers, nor on connections",
  apply: (config) => {
    delete connectionManager(config)["request_headers_timeout"];
    dropListenerLimits(config);
    const manager = partAt(config, "overload_manager");
    const monitors = manager["resource_monitors"] as readonly Fields[];
    manager["resource_monitors"] = monitors.filter(({ name }) =>
      !String(name).endsWith("global_downstream_max_connections")
    );
  },
};

export const slowloris: Experiment = {
  name: "slowloris",
  question:
    "Do peers that hold connections and send little harm other callers?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 9000 },
  events: [{
    atMs: 1000,
    label: `${SLOW_PEERS} slow connections`,
    do: attack,
  }],
  claims: [
    {
      id: "slow",
      text: "all slow peers do connect, so that there is an attack",
      judge: measuredBetween("slow calls", { min: SLOW_PEERS }),
    },
    {
      id: "answered",
      text: `Envoy ends every slow call within ${ANSWERED_MS_MAX} ms`,
      judge: measuredBetween("longest slow call", {
        max: ANSWERED_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "limit",
      text: `Envoy never has more than ${CONNECTIONS_MAX} connections`,
      judge: measuredBetween("most connections", { max: CONNECTIONS_MAX }),
    },
    noOtherCallIsLost,
    envoyGrowsAtMost(ENVOY_MIB_MAX),
  ],
  control: {
    about: noLimits.name,
    changes: [noLimits],
    breaks: ["answered", "limit"],
  },
  limits: [{
    text:
      "A connection that has sent something and answers Envoy's pings stays " +
      "for up to 300 s, and counts towards the 600: while all are taken, new " +
      "callers are refused; those already connected notice nothing",
    reason: "Envoy closes such connections only by idle_timeout; below " +
      "300 s it would close those of callers that pause",
    reference: "idle_timeout in envoy.yaml; " +
      "listener downstream_cx_overflow in Envoy's statistics",
  }],
};
