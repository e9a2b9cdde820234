/**
 * Peers that break the rules next to callers that do not: 3,000 requests of
 * random bytes and calls that break gRPC's framing, sent through Envoy; HTTP/2
 * frames with wrong bytes, sent to Envoy and to every server; and the packet
 * that crashes a plain grpc-js server. A seed makes all of it repeatable.
 *
 * What is measured: whether every malformed call is answered without revealing
 * anything about the server's internals; whether other calls are affected; and
 * whether Envoy ejects servers for what their callers send. The control shows
 * the last: with Envoy's default detector, replies like UNIMPLEMENTED and
 * INTERNAL eject the servers that sent them.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  allOf,
  type Experiment,
  grpcCluster,
  heldIf,
  type History,
  type Judgement,
  measuredBetween,
  type NamedChange,
  noServerStartedAgain,
  type RunContext,
  statGrows,
} from "../src/experiment/authors.ts";
import {
  BAD_CALLS,
  CALLS_OF_FRAMES_MAX,
  deadlyBytes,
  randomBody,
  randomFrames,
} from "./attack/random_bytes.ts";
import { RawPeer } from "./attack/raw_peers.ts";
import { Greeter } from "../src/io/proto.ts";
import { callBytes, type CallEnd, connect } from "../src/io/rpc.ts";
import { waitUntil } from "../src/io/wait.ts";
import { noOtherCallIsLost } from "./_claims.ts";

const BODIES = 3000;

/** At a time; enough for several bad replies in a row. */
const BODIES_AT_ONCE = 25;

const FRAMES_PER_TARGET = 100;

const FRAMES_AT_ONCE = 20;

/** No malformed call asks for work, so this is generous. */
const ANSWER_MS_MAX = 2000;

/** How long a peer with random frames waits for a reply. */
const LISTEN_MS = 50;

/** Where the random requests go; the last method does not exist. */
const METHODS = ["SayHello", "SayHello", "StreamHellos", "Nothing"] as const;

/** The valid outcomes of a request of random bytes. */
const ANSWERS: ReadonlySet<string> = new Set([
  "OK",
  "INVALID_ARGUMENT",
  "UNIMPLEMENTED",
  "INTERNAL",
  "RESOURCE_EXHAUSTED",
]);

/** File paths and lines of a stack trace. */
const INSIDE = /file:|node_modules|[\w-]\.[jt]s\b|^\s+at /m;

/** A method that the servers' counters leave out. */
const UNCOUNTED = "/grpc.health.v1.Health/Check";

/** Sends requests of random bytes through Envoy. */
async function sendBodies(run: RunContext): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  const answers: CallEnd[] = [];
  while (answers.length < BODIES && !run.signal.aborted) {
    run.addCalls(BODIES_AT_ONCE);
    answers.push(
      ...await Promise.all(Array.from({ length: BODIES_AT_ONCE }, () => {
        const method = METHODS[Math.floor(run.random() * METHODS.length)] ?? "";
        const path = `/demo.v1.Greeter/${method}`;
        return callBytes(client, path, randomBody(run.random), {
          deadlineMs: ANSWER_MS_MAX,
        });
      })),
    );
  }
  client.close();
  const bad = answers.filter(({ status }) => !ANSWERS.has(status));
  run.measure("random requests", answers.length);
  run.measure("without a valid status", bad.length);
  run.measure(
    "revealing internals",
    answers.filter(({ details }) => INSIDE.test(details)).length,
  );
}

/** Sends calls that break gRPC's framing through Envoy. */
async function sendBadCalls(run: RunContext): Promise<void> {
  for (const bytes of Object.values(BAD_CALLS)) {
    const peer = await RawPeer.open(run.stack.endpoint);
    run.addCalls(1);
    const sentMs = performance.now();
    await peer.write(bytes);
    const isAnswered = () => peer.answeredAtMs !== undefined;
    await waitUntil(isAnswered, ANSWER_MS_MAX, run.signal);
    run.measure("answered after", (peer.answeredAtMs ?? Infinity) - sentMs);
    peer.close();
  }
}

/** Sends corrupted frames to Envoy and to every server. */
async function sendFrames(run: RunContext): Promise<void> {
  const { endpoint } = run.stack;
  const servers = run.stack.servers().map(({ address }) => address);
  const send = async (target: string, bytes: Uint8Array) => {
    const peer = await RawPeer.open(target);
    await peer.write(bytes);
    await run.wait(LISTEN_MS);
    peer.close();
  };
  for (const target of [endpoint, ...servers]) {
    const path = target === endpoint ? "/demo.v1.Greeter/SayHello" : UNCOUNTED;
    for (let sent = 0; sent < FRAMES_PER_TARGET; sent += FRAMES_AT_ONCE) {
      if (run.signal.aborted) return;
      if (target === endpoint) {
        const most = FRAMES_AT_ONCE * CALLS_OF_FRAMES_MAX;
        run.addCalls(most, most);
      }
      const packets = Array.from(
        { length: FRAMES_AT_ONCE },
        () => randomFrames(run.random, path),
      );
      await Promise.all(packets.map((bytes) => send(target, bytes)));
    }
  }
  for (const server of servers) await send(server, deadlyBytes());
}

async function sendAll(run: RunContext): Promise<void> {
  await sendBodies(run);
  run.mark("calls with broken framing");
  await sendBadCalls(run);
  run.mark("corrupted frames");
  await sendFrames(run);
}

/** Every server has closed connections that broke HTTP/2, and logged it. */
export function saidBy({ lines, setup }: History): Judgement {
  const said = new Set(
    lines.filter((line) => line.includes(": ended the connection with "))
      .map((line) => line.split(":")[0]),
  );
  return heldIf(said.size === setup.servers, `${said.size} servers logged it`);
}

/** The documented default of Envoy. */
const defaultDetector: NamedChange = {
  name: "ejection after five bad replies in a row",
  apply: (config) => {
    const detection = partAt(grpcCluster(config), "outlier_detection");
    detection["enforcing_consecutive_5xx"] = 100;
  },
};

export const malformed: Experiment = {
  name: "malformed",
  question: "Do malformed messages and frames harm servers or other callers?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 6000 },
  events: [{ atMs: 500, label: "random requests", do: sendAll }],
  claims: [
    {
      id: "answered",
      text: `every one of ${BODIES} random requests gets a gRPC status`,
      judge: measuredBetween("without a valid status", { max: 0 }),
    },
    {
      id: "framing",
      text:
        `every call with broken framing is answered, or disconnected, within ` +
        `${ANSWER_MS_MAX} ms`,
      judge: measuredBetween("answered after", {
        max: ANSWER_MS_MAX,
        unit: "ms",
      }),
    },
    {
      id: "inside",
      text: "no reply reveals a server's internals",
      judge: measuredBetween("revealing internals", { max: 0 }),
    },
    {
      id: "alive",
      text:
        "every server survives the deadly packet, and logs whose connection " +
        "it closed",
      judge: allOf(noServerStartedAgain(), saidBy),
    },
    noOtherCallIsLost,
    {
      id: "ejected",
      text: "no server is ejected for what its callers send",
      judge: statGrows("outlier_detection.ejections_enforced_total", {
        max: 0,
      }),
    },
  ],
  control: {
    about: "Envoy's default, ejection after five bad replies in a row",
    changes: [defaultDetector],
    breaks: ["ejected"],
  },
};
