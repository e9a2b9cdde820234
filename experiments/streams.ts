/**
 * Streams are balanced once, when they open. Two questions follow: can they
 * last as long as they need, and how does a new server get any?
 *
 * What is measured: the streams' statuses, their replies and the servers that
 * these came from; and how soon an added server answers its first stream. By
 * default Envoy cuts every call after 15 s, so the first experiment has to last
 * longer.
 */
import {
  type Claim,
  type Experiment,
  heldIf,
  type History,
  type Judgement,
  measured,
  measuredBetween,
  type NamedChange,
  routeAction,
  type RunContext,
  unknown,
} from "../src/experiment/authors.ts";
import {
  Greeter,
  type GreeterClient,
  type StreamHellosResponse,
} from "../src/io/proto.ts";
import { connect, readStream } from "../src/io/rpc.ts";

const STREAMS = 6;

/** Between two replies of a stream. */
export const INTERVAL_MS = 100;

/** A stream of this many replies outlasts Envoy's default timeout of 15 s. */
const LONG_REPLIES = 165;

/** A stream of this many replies outlasts the run. */
const ENDLESS_REPLIES = 1000;

/** The longest that a stream may last in the experiment that moves streams. */
const MOVE_MS = 2000;

/** By then all streams have been reopened. */
const MOVED_MS = MOVE_MS + 1000;

const SILENCE_MS_MAX = 1000;

/** The route of StreamHellos in envoy.yaml. */
const STREAM_ROUTE = "stream-hellos";

const NEW_SERVER = "server-4";

/** How one stream ended. */
interface StreamEnd {
  readonly status: string;
  readonly replies: number;
  readonly servers: ReadonlySet<string>;
}

/** Opens a stream and reads it to its end, or until the run is interrupted. */
export async function readHellos(
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

/** Measures what {@linkcode wholeStreams} judges. */
export function measureEnd(
  run: RunContext,
  { status, replies }: StreamEnd,
): void {
  run.measure("stream ended OK", status === "OK" ? 1 : 0);
  run.measure("replies", replies);
}

/** No stream is cut: each ends well, with as many replies as it asked for. */
export function wholeStreams(replies: number): readonly Claim[] {
  return [
    {
      id: "whole",
      text: "every stream ends with OK",
      judge: measuredBetween("stream ended OK", { min: 1 }),
    },
    {
      id: "replies",
      text: `every stream delivers its ${replies} replies`,
      judge: measuredBetween("replies", { min: replies, max: replies }),
    },
  ];
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
  for (const end of ends) {
    measureEnd(run, end);
    run.measure("servers of a stream", end.servers.size);
    for (const server of end.servers) run.measure(`streams of ${server}`, 1);
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

/** Envoy's default for a whole call, where envoy.yaml has none. */
const defaultTimeout: NamedChange = {
  name: "the default timeout of 15 s for streams",
  apply: (config) => {
    delete routeAction(config, STREAM_ROUTE)["timeout"];
  },
};

export const longStreams: Experiment = {
  name: "long-streams",
  question: "Can a stream last longer than 15 s, on one server?",
  setup: { servers: 3 },
  load: { ratePerS: 0, durationMs: 1000 },
  events: [{ atMs: 0, label: `${STREAMS} streams`, do: readAll }],
  claims: [
    ...wholeStreams(LONG_REPLIES),
    {
      id: "pinned",
      text: "every stream stays on the server where it began",
      judge: measuredBetween("servers of a stream", { min: 1, max: 1 }),
    },
    {
      id: "even",
      text: "the streams of one connection are spread evenly",
      judge: evenlySpread,
    },
  ],
  control: {
    about: "Envoy's default timeout of 15 s for a call",
    changes: [defaultTimeout],
    breaks: ["whole", "replies"],
  },
};

/** Streams end after a while; their callers reopen them at once. */
const maxStreamDuration: NamedChange = {
  name: `streams last at most ${MOVE_MS / 1000} s`,
  apply: (config) => {
    routeAction(config, STREAM_ROUTE)["max_stream_duration"] = {
      max_stream_duration: `${MOVE_MS / 1000}s`,
    };
  },
};

/** Keeps one stream open by reopening it. @returns How often it was opened. */
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

/** Adds a server while streams are open, and gives them time to move. */
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
  run.mark(`${NEW_SERVER} is up`);
  await run.awaitHealthy(4);
  run.mark(`${NEW_SERVER} is healthy`);
  await run.wait(MOVED_MS);
  end.abort();
  await Promise.all(streams);
  run.measure("streams that reached it", isSeen.filter(Boolean).length);
}

export const movedStreams: Experiment = {
  name: "moved-streams",
  question: "Does a new server get a share of the streams already open?",
  isOfOwnSettings: true,
  setup: { servers: 3, changes: [maxStreamDuration] },
  load: { ratePerS: 0, durationMs: 1000 },
  events: [{ atMs: 0, label: "a fourth server", do: addServer }],
  claims: [
    {
      id: "moved",
      text:
        `the new server answers a stream within ${MOVED_MS} ms of its first ` +
        "passing health check",
      judge: measuredBetween("streams that reached it", { min: 1 }),
    },
    {
      id: "silence",
      text:
        `no stream is silent for longer than ${SILENCE_MS_MAX} ms, with a ` +
        `reply every ${INTERVAL_MS} ms`,
      judge: measuredBetween("longest silence", {
        max: SILENCE_MS_MAX,
        unit: "ms",
      }),
    },
  ],
  control: {
    about: "the duration of streams is not limited",
    setup: { changes: [] },
    breaks: ["moved"],
  },
};
