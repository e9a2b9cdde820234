/** Streams are cut too early; without any limit they never move. */
import { at } from "../../src/core/yaml.ts";
import {
  connectionManager,
  routeAction,
} from "../../src/experiment/changes.ts";
import type { RunContext } from "../../src/experiment/run_context.ts";
import { measuredBetween } from "../../src/experiment/judge.ts";
import { Greeter } from "../../src/io/proto.ts";
import { connect, readStream } from "../../src/io/rpc.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { MANAGER, routePath } from "./_paths.ts";
import text from "./12_streams.md" with { type: "text" };

const INTERVAL_MS = 100;

/** A job: a stream with an end. */
const JOBS = 3;
const JOB_REPLIES = 45;

/** A subscription: a stream that is opened again whenever it ends. */
const SUBSCRIPTIONS = 6;
const ENDLESS_REPLIES = 1000;
const SUBSCRIBED_MS = 7500;

const NEW_SERVER = "server-4";
const ROUTE = "stream-hellos";

const STREAM_ROUTE = routePath(ROUTE);

/** Reads jobs to their end. */
async function runJobs(run: RunContext): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  run.addCalls(JOBS);
  const request = { name: "job", count: JOB_REPLIES, intervalMs: INTERVAL_MS };
  await Promise.all(Array.from({ length: JOBS }, async () => {
    let replies = 0;
    const { signal } = run;
    const end = await readStream(
      client,
      "StreamHellos",
      request,
      { signal },
      () => {
        replies += 1;
      },
    );
    run.measure("replies of a job", replies);
    run.measure("jobs that ended OK", end.status === "OK" ? 1 : 0);
  }));
  client.close();
}

/** Keeps streams open while a fourth server joins. */
async function subscribe(run: RunContext): Promise<void> {
  const end = new AbortController();
  const signal = AbortSignal.any([run.signal, end.signal]);
  const client = connect(Greeter, run.stack.endpoint);
  const request = {
    name: "subscription",
    count: ENDLESS_REPLIES,
    intervalMs: INTERVAL_MS,
  };
  let moved = 0;
  const all = Array.from({ length: SUBSCRIPTIONS }, async () => {
    let isMoved = false;
    while (!signal.aborted) {
      run.addCalls(1, 1);
      await readStream(
        client,
        "StreamHellos",
        request,
        { signal },
        ({ server }) => {
          isMoved ||= server === NEW_SERVER;
        },
      );
    }
    if (isMoved) moved += 1;
  });
  await run.stack.scale(4);
  await run.wait(SUBSCRIBED_MS - run.elapsedMs());
  end.abort();
  await Promise.all(all);
  client.close();
  run.measure(`subscriptions that reached ${NEW_SERVER}`, moved);
}

export const streams: Lesson = {
  number: 12,
  name: "streams",
  title: "How long may a stream last, and how does a new server get any?",
  minutes: 12,
  text,
  start: [{ path: [...STREAM_ROUTE, "timeout"], value: "3s" }],
  solution: [
    { path: [...STREAM_ROUTE, "timeout"], value: "0s" },
    {
      path: [...STREAM_ROUTE, "max_stream_duration"],
      value: { max_stream_duration: "6s" },
    },
  ],
  hints: [
    "There are two wishes about the life of a stream: long enough for the " +
    "longest job, and short enough that new servers get some. Write down " +
    "both figures before you look for fields.",
    'The route "stream-hellos" has a "timeout", which is meant for calls ' +
    'with one reply. Next to it may stand "max_stream_duration", a message ' +
    "with a field of the same name.",
    'Set "timeout: 0s" and "max_stream_duration: { max_stream_duration: 6s ' +
    '}": longer than the job of 4.5 s, and not for ever.',
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 0, durationMs: SUBSCRIBED_MS },
    events: [
      { atMs: 0, label: "jobs", do: runJobs },
      { atMs: 0, label: "subscriptions; a fourth server", do: subscribe },
    ],
    claims: [
      {
        id: "whole",
        text: `every job gets its ${JOB_REPLIES} replies, in 4.5 s`,
        judge: measuredBetween("replies of a job", {
          min: JOB_REPLIES,
          max: JOB_REPLIES,
        }),
        stillWrong:
          "Streams that need 4.5 s are cut in the middle of their work",
      },
      {
        id: "ok",
        text: "every job ends with OK",
        judge: measuredBetween("jobs that ended OK", { min: 1 }),
        stillWrong: "A job got its replies and still ended with an error",
      },
      {
        id: "moved",
        text: `within 7.5 s a subscription reaches ${NEW_SERVER}`,
        judge: measuredBetween(`subscriptions that reached ${NEW_SERVER}`, {
          min: 1,
        }),
        stillWrong:
          "The new server has no stream: open ones stay where they began",
      },
    ],
  },
  mistakes: [
    {
      name: "no limit at all",
      edits: [{ path: [...STREAM_ROUTE, "timeout"], value: "0s" }],
      isIn: (config) => {
        const { timeout, max_stream_duration, idle_timeout } = routeAction(
          config,
          ROUTE,
        );
        return timeout === "0s" && max_stream_duration === undefined &&
          idle_timeout === undefined &&
          maxConnectionDuration(config) === undefined;
      },
      sentence:
        "Jobs are whole now, but nothing ever ends a subscription, so each " +
        "stays on the server where it began and a new server gets none",
    },
    {
      name: "Envoy's default",
      edits: [{ path: [...STREAM_ROUTE, "timeout"], value: undefined }],
      isIn: (config) => {
        const { timeout, max_stream_duration } = routeAction(config, ROUTE);
        return timeout === undefined && max_stream_duration === undefined;
      },
      sentence:
        'Without "timeout" Envoy takes its default of 15 s: it cuts every ' +
        "job that takes longer, and a subscription moves no sooner",
    },
    {
      name: "an idle timeout",
      edits: [
        { path: [...STREAM_ROUTE, "timeout"], value: "0s" },
        { path: [...STREAM_ROUTE, "idle_timeout"], value: "6s" },
      ],
      isIn: (config) => {
        const { idle_timeout, max_stream_duration } = routeAction(
          config,
          ROUTE,
        );
        return idle_timeout !== undefined && max_stream_duration === undefined;
      },
      sentence:
        '"idle_timeout" ends streams that are silent, and a reply every ' +
        "100 ms is no silence: nothing limits how long a busy stream lasts",
    },
    {
      name: "the age of connections",
      edits: [
        { path: [...STREAM_ROUTE, "timeout"], value: "0s" },
        {
          path: [
            ...MANAGER,
            ...["common_http_protocol_options", "max_connection_duration"],
          ],
          value: "5s",
        },
      ],
      isIn: (config) => maxConnectionDuration(config) !== undefined,
      sentence:
        "When a connection has reached its age, Envoy takes no new call on " +
        "it and waits for the open ones: streams on it go on, on the same " +
        "server",
    },
  ],
};

/** The age at which a caller's connection is drained, if there is any. */
function maxConnectionDuration(
  config: Parameters<typeof connectionManager>[0],
): unknown {
  return at(
    connectionManager(config),
    ...["common_http_protocol_options", "max_connection_duration"],
  );
}
