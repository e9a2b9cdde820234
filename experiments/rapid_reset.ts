/**
 * A "rapid reset" (CVE-2023-44487): one connection opens 5,000 calls a second
 * and cancels each in the same packet, so that none counts against the limit of
 * concurrent streams while Envoy has the work of all of them.
 *
 * What is measured is how long Envoy keeps the connection, and how many calls
 * it accepts from it. There are two defences by default: Envoy counts streams
 * that live less than a second (it closes the connection when more than half of
 * 500 do), and its HTTP/2 codec tolerates a burst of 1000 resets. The control
 * disables both; the connection then lasts as long as the attack.
 */
import { join } from "../src/core/http2_wire.ts";
import { callFields, headers, resetStream } from "../src/io/http2_frames.ts";
import { type Fields, partAt } from "../src/core/yaml.ts";
import {
  connectionManager,
  type Experiment,
  heldIf,
  type Judge,
  latencyAtMost,
  measuredBetween,
  measureMemory,
  type NamedChange,
  type RunContext,
  statGrows,
  statGrowth,
} from "../src/experiment/authors.ts";
import { OPENING } from "./attack/raw_calls.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { envoyGrowsAtMost, noOtherCallIsLost } from "./_claims.ts";

const ATTACK_MS = 3000;

const RESETS_PER_S = 5000;

/** How often the attacker writes; a busy machine manages no more. */
const WRITE_INTERVAL_MS = 20;

const CLOSED_MS_MAX = 1000;

/** Envoy allows 250 early resets, half of 500; each write brings 100 more. */
const TAKEN_MAX = 500;

const ENVOY_MIB_MAX = 20;

/** Opens and resets `count` calls, from stream `first` on. */
function resets(first: number, count: number): Uint8Array {
  const fields = callFields();
  return join(...Array.from({ length: count }, (_, at) => {
    const stream = first + 2 * at;
    return join(headers(stream, fields), resetStream(stream));
  }));
}

/** Attacks until Envoy closes the connection or the time is over. */
async function attack(run: RunContext): Promise<void> {
  await measureMemory(run);
  const peer = await RawPeer.open(run.stack.endpoint);
  const startMs = performance.now();
  await peer.write(OPENING);
  let sent = 0;
  while (!run.signal.aborted) {
    const sinceMs = performance.now() - startMs;
    if (sinceMs >= ATTACK_MS) break;
    const due = Math.floor(sinceMs * RESETS_PER_S / 1000) - sent;
    if (!await peer.write(resets(1 + 2 * sent, due))) break;
    sent += due;
    await run.wait(WRITE_INTERVAL_MS);
  }
  // Lets what is in flight arrive before this side closes.
  await run.wait(500);
  const lastedMs = (peer.closedAtMs ?? performance.now()) - startMs;
  await measureMemory(run);
  run.measure("connection lived", lastedMs);
  run.measure("calls reset", sent);
  run.addCalls(sent, sent);
  peer.close();
}

/** Envoy accepts at most `count` calls that are not the recorder's. */
export function takenAtMost(count: number): Judge {
  return (history) => {
    const all = statGrowth(history, "http.grpc.downstream_rq_total");
    const taken = all - history.calls.length;
    return heldIf(taken <= count, `${taken} of its calls accepted`);
  };
}

/** Envoy counts no resets, and its other codec has no limit for them. */
const noResetLimits: NamedChange = {
  name: "no limit on resets",
  apply: (config) => {
    const http2 = partAt(connectionManager(config), "http2_protocol_options");
    http2["use_oghttp2_codec"] = true;
    const runtime = config["layered_runtime"] as {
      layers: { static_layer: Fields }[];
    };
    for (const layer of runtime.layers) {
      layer.static_layer = {
        ...layer.static_layer,
        "overload.premature_reset_total_stream_count": 1_000_000_000,
      };
    }
  },
};

export const rapidReset: Experiment = {
  name: "rapid-reset",
  question: "Is a caller that resets 5,000 calls a second disconnected?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 6000 },
  events: [{ atMs: 1500, label: "rapid reset", do: attack }],
  claims: [
    {
      id: "closed",
      text: `Envoy closes the connection within ${CLOSED_MS_MAX} ms`,
      judge: measuredBetween("connection lived", {
        max: CLOSED_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "taken",
      text: `Envoy accepts at most ${TAKEN_MAX} of its calls`,
      judge: takenAtMost(TAKEN_MAX),
    },
    {
      id: "counted",
      text: "Envoy counts the reason",
      judge: statGrows("http.grpc.downstream_rq_too_many_premature_resets", {
        min: 1,
      }),
    },
    noOtherCallIsLost,
    {
      id: "latency",
      text: "95 % of the other calls take at most 100 ms",
      judge: latencyAtMost(95, 100),
    },
    envoyGrowsAtMost(ENVOY_MIB_MAX),
  ],
  control: {
    about: "resets are not limited",
    changes: [noResetLimits],
    breaks: ["closed", "counted", "taken"],
  },
};
