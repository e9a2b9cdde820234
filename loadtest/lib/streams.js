// Streams of the demo's service, each watched from its start to its end.
import grpc from "k6/net/grpc";
import { Rate, Trend } from "k6/metrics";
import { setTimeout } from "k6/timers";
import { client, countEnd } from "./greeter.js";
import { printable } from "./printable.js";

/** Time from opening a stream to its first message. */
export const FIRST_MESSAGE_METRIC = "first_message_ms";

const firstMessageMs = new Trend(FIRST_MESSAGE_METRIC, true);

/** Streams that got every message they asked for. */
const complete = new Rate("streams_complete");

/** Streams whose messages came from more than one server. */
const moved = new Rate("streams_moved");

/** What must hold for all streams. */
export const STREAM_THRESHOLDS = {
  streams_complete: ["rate==1"],
  streams_moved: ["rate==0"],
};

/**
 * Opens a stream of StreamHellos and reads it to its end.
 * @returns A promise of `{ isOk, server }`.
 */
export function readHellos(settings, tags) {
  const { messages, intervalMs } = settings;
  return watch("StreamHellos", settings, tags, {
    onOpen: (stream) => {
      stream.write({ name: "k6", count: messages, intervalMs });
      stream.end();
    },
    onMessage: () => {},
  });
}

/**
 * Opens a stream of Chat and writes a message each time one has come back.
 * @returns A promise of `{ isOk, server }`.
 */
export function chat(settings, tags) {
  const say = (stream, number) => stream.write({ text: `message ${number}` });
  return watch("Chat", settings, tags, {
    onOpen: (stream) => say(stream, 1),
    onMessage: (stream, count, isOpen) => {
      if (count === settings.messages) stream.end();
      else {
        setTimeout(() => {
          // k6 waits for ever in a write to a stream that has ended.
          if (isOpen()) say(stream, count + 1);
        }, settings.intervalMs);
      }
    },
  });
}

function watch(method, settings, tags, { onOpen, onMessage }) {
  return new Promise((resolve) => {
    const openedAtMs = Date.now();
    const servers = [];
    let count = 0;
    let hasEnded = false;
    let status = grpc.StatusOK;
    const stream = new grpc.Stream(client, `demo.v1.Greeter/${method}`, {
      tags,
    });
    stream.on("data", ({ server }) => {
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
        server: printable(servers[0] || ""),
      });
    };
    // Behind an error k6 does not always say that the stream has ended.
    stream.on("error", (error) => {
      status = error.code;
      end();
    });
    stream.on("end", end);
    onOpen(stream);
  });
}
