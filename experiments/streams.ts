/**
 * Streams are balanced once, when they open. Two questions follow: do they
 * live as long as they want to, and how does a new server get any?
 *
 * What is measured: the streams' statuses, their replies and the servers that
 * these came from; and after how long a server that is added answers a stream
 * for the first time. Envoy cuts every call after 15 s unless told otherwise,
 * so the first experiment has to be longer than that.
 */
import { routeAction } from "../src/experiment/changes.ts";
import type {
  Experiment,
  Judgement,
  NamedChange,
} from "../src/experiment/experiment.ts";
import type { History } from "../src/experiment/history.ts";
import {
  heldIf,
  measured,
  measuredBetween,
  unknown,
} from "../src/experiment/judge.ts";
import type { RunContext } from "../src/experiment/run_context.ts";
import {
  Greeter,
  type GreeterClient,
  type StreamHellosResponse,
} from "../src/io/proto.ts";
import { connect, readStream } from "../src/io/rpc.ts";

const STREAMS = 6;

const INTERVAL_MS = 100;

/** Envoy's default limit is 15 s; a stream of this many replies is longer. */
const LONG_REPLIES = 165;

/** Streams that would not end in the run by themselves. */
const ENDLESS_REPLIES = 1000;

/** The setting that moves streams, in the experiment about it. */
const MOVE_MS = 2000;

/** All streams have been opened again after this. */
const MOVED_MS = MOVE_MS + 1000;

const SILENCE_MS_MAX = 1000;

/** The route of StreamHellos in envoy.yaml. */
const STREAM_ROUTE = "stream-hellos";

const NEW_SERVER = "server-4";

/** What became of one stream. */
interface StreamEnd {
  readonly status: string;
  readonly replies: number;
  readonly servers: ReadonlySet<string>;
}

/** Opens a stream and reads it to its end, or until the run is interrupted. */
async function readHellos(
  client: GreeterClient,
  count: number,
  signal: AbortSignal,
  onServer: (server: string) => void = () => {},
): Promise<StreamEnd> {
  const request = { name: "stream", count, intervalMs: INTERVAL_MS };
  const servers = new Set<string>();
  let replies = 0;
  const onReply = ({ server }: StreamHellosResponse) => {
    replies += 1;
    servers.add(server);
    onServer(server);
  };
  const { status } = await readStream(
    client,
    "StreamHellos",
    request,
    { signal },
    onReply,
  );
  return { status, replies, servers };
}

/** Opens streams on one connection and reads them to their end. */
async function readAll(run: RunContext): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  run.addCalls(STREAMS);
  const ends = await Promise.all(
    Array.from(
      { length: STREAMS },
      () => readHellos(client, LONG_REPLIES, run.signal),
    ),
  );
  client.close();
  for (const { status, replies, servers } of ends) {
    run.measure("stream ended OK", status === "OK" ? 1 : 0);
    run.measure("replies", replies);
    run.measure("servers of a stream", servers.size);
    for (const server of servers) run.measure(`streams of ${server}`, 1);
  }
}

/** Every server has the same number of streams. */
export function evenlySpread(history: History): Judgement {
  const counts = Array.from(
    { length: history.setup.servers },
    (_, at) => measured(history, `streams of server-${at + 1}`).length,
  );
  const words = `${counts.join(", ")} streams`;
  if (counts.every((count) => count === 0)) return unknown(words);
  return heldIf(new Set(counts).size === 1, words);
}

/** Envoy's default for the whole of a call, where envoy.yaml says "none". */
const defaultTimeout: NamedChange = {
  name: "the default timeout of 15 s for streams",
  apply: (config) => {
    delete routeAction(config, STREAM_ROUTE)["timeout"];
  },
};

/** Does a stream live as long as it wants to? */
export const longStreams: Experiment = {
  name: "long-streams",
  question: "Does a stream live on one server for longer than 15 s?",
  setup: { servers: 3 },
  load: { ratePerS: 0, durationMs: 1000 },
  events: [{ atMs: 0, label: `${STREAMS} streams`, do: readAll }],
  claims: [
    {
      id: "whole",
      text: "every stream ends with OK",
      judge: measuredBetween("stream ended OK", { min: 1 }),
    },
    {
      id: "replies",
      text: `every stream brings its ${LONG_REPLIES} replies`,
      judge: measuredBetween("replies", {
        min: LONG_REPLIES,
        max: LONG_REPLIES,
      }),
    },
    {
      id: "pinned",
      text: "every stream stays on the server where it began",
      judge: measuredBetween("servers of a stream", { min: 1, max: 1 }),
    },
    {
      id: "even",
      text: "every server has as many streams, on one connection",
      judge: evenlySpread,
    },
  ],
  control: {
    about: "Envoy's default limit of 15 s for a call",
    changes: [defaultTimeout],
    breaks: ["whole", "replies"],
  },
};

/** Streams end after a while; their callers open them again at once. */
const maxStreamDuration: NamedChange = {
  name: `streams last at most ${MOVE_MS / 1000} s`,
  apply: (config) => {
    routeAction(config, STREAM_ROUTE)["max_stream_duration"] = {
      max_stream_duration: `${MOVE_MS / 1000}s`,
    };
  },
};

/** Keeps one stream open, again and again. @returns How often. */
async function keepStream(
  run: RunContext,
  signal: AbortSignal,
  onServer: (server: string) => void,
): Promise<number> {
  const client = connect(Greeter, run.stack.endpoint);
  let opened = 0;
  while (!signal.aborted) {
    opened += 1;
    await readHellos(client, ENDLESS_REPLIES, signal, onServer);
  }
  client.close();
  return opened;
}

/** Adds a server while streams are open, and waits until they may move. */
async function addServer(run: RunContext): Promise<void> {
  const end = new AbortController();
  const stop = AbortSignal.any([run.signal, end.signal]);
  const isSeen = Array.from({ length: STREAMS }, () => false);
  const streams = isSeen.map(async (_, at) => {
    let lastMs = run.elapsedMs();
    let silenceMs = 0;
    const opened = await keepStream(run, stop, (server) => {
      silenceMs = Math.max(silenceMs, run.elapsedMs() - lastMs);
      lastMs = run.elapsedMs();
      if (server === NEW_SERVER) isSeen[at] = true;
    });
    run.addCalls(opened);
    run.measure("longest silence", silenceMs);
  });
  await run.stack.scale(4);
  run.mark(`${NEW_SERVER} runs`);
  await run.awaitHealthy(4);
  run.mark(`${NEW_SERVER} is healthy`);
  await run.wait(MOVED_MS);
  end.abort();
  await Promise.all(streams);
  run.measure("streams that reached it", isSeen.filter(Boolean).length);
}

/** Does a new server get streams that are open already? */
export const movedStreams: Experiment = {
  name: "moved-streams",
  question: "Does a new server get a part of the streams that are open?",
  setup: { servers: 3, changes: [maxStreamDuration] },
  load: { ratePerS: 0, durationMs: 1000 },
  events: [{ atMs: 0, label: "a fourth server", do: addServer }],
  claims: [
    {
      id: "moved",
      text: `within ${MOVED_MS} ms after its first good health check, it ` +
        "answers a stream",
      judge: measuredBetween("streams that reached it", { min: 1 }),
    },
    {
      id: "silence",
      text:
        `no stream is silent for longer than ${SILENCE_MS_MAX} ms, with a ` +
        `reply every ${INTERVAL_MS}`,
      judge: measuredBetween("longest silence", {
        max: SILENCE_MS_MAX,
        unit: "ms",
      }),
    },
  ],
  control: {
    about: "streams last as long as they want to",
    setup: { changes: [] },
    breaks: ["moved"],
  },
};
