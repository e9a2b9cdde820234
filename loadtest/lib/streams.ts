// Streams of the demo's service, watched from start to end.
import grpc, { type GrpcError, type Stream } from "k6/net/grpc";
import { Rate, Trend } from "k6/metrics";
import { setTimeout } from "k6/timers";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { printableDetails, printableName } from "../../src/core/printable.ts";
import {
  type Caller,
  type CallResult,
  countEnd,
  type Tags,
} from "./greeter.ts";

/** Time from opening a stream to its first message. */
export const FIRST_MESSAGE_METRIC = "first_message_ms";

const firstMessageMs = new Trend(FIRST_MESSAGE_METRIC, true);

/** Streams that got every requested message. */
const complete = new Rate("streams_complete");

/** Streams whose messages came from more than one server. */
const moved = new Rate("streams_moved");

/** What must hold for all streams. */
export const STREAM_THRESHOLDS = {
  streams_complete: ["rate==1"],
  streams_moved: ["rate==0"],
};

/** Opens a StreamHellos stream and reads it to its end. */
export function readHellos(
  caller: Caller,
  settings: LoadSettings,
  tags: Tags,
): Promise<CallResult> {
  const { messages, intervalMs } = settings;
  return watch(caller, "StreamHellos", settings, tags, {
    onOpen: (stream) => {
      stream.write({ name: "k6", count: messages, intervalMs });
      stream.end();
    },
    onMessage: () => {},
  });
}

/** Opens a Chat stream and writes a message whenever one has come back. */
export function chat(
  caller: Caller,
  settings: LoadSettings,
  tags: Tags,
): Promise<CallResult> {
  const say = (stream: Stream, number: number) =>
    stream.write({ text: `message ${number}` });
  return watch(caller, "Chat", settings, tags, {
    onOpen: (stream) => say(stream, 1),
    onMessage: (stream, count, isOpen) => {
      if (count === settings.messages) stream.end();
      else {
        setTimeout(() => {
          // k6 hangs when it writes to a stream that has ended.
          if (isOpen()) say(stream, count + 1);
        }, settings.intervalMs);
      }
    },
  });
}

/** Handlers of a stream. */
interface Handlers {
  readonly onOpen: (stream: Stream) => void;
  readonly onMessage: (
    stream: Stream,
    count: number,
    isOpen: () => boolean,
  ) => void;
}

function watch(
  caller: Caller,
  method: string,
  settings: LoadSettings,
  tags: Tags,
  { onOpen, onMessage }: Handlers,
): Promise<CallResult> {
  return new Promise((resolve) => {
    const openedAtMs = Date.now();
    const servers: string[] = [];
    let count = 0;
    let hasEnded = false;
    let status = grpc.StatusOK;
    let details = "";
    const stream = new grpc.Stream(caller.client, `demo.v1.Greeter/${method}`, {
      tags,
    });
    stream.on("data", (message) => {
      const { server = "" } = message as { server?: string };
      count += 1;
      if (count === 1) firstMessageMs.add(Date.now() - openedAtMs, tags);
      if (!servers.includes(server)) servers.push(server);
      onMessage(stream, count, () => !hasEnded);
    });
    const end = () => {
      if (hasEnded) return;
      hasEnded = true;
      countEnd(status);
      if (tags.measured === "yes") {
        complete.add(count === settings.messages);
        moved.add(servers.length > 1);
      }
      resolve({
        isOk: Number(status) === Number(grpc.StatusOK),
        server: printableName(servers[0] ?? ""),
        error: printableDetails(details),
      });
    };
    // After an error k6 does not always report the stream's end.
    stream.on("error", (error) => {
      ({ code: status, message: details } = error as GrpcError);
      end();
    });
    stream.on("end", end);
    onOpen(stream);
  });
}
