// @ts-check
// How are streams balanced, and does every message arrive?
//
//   k6 run loadtest/streams.js
//
// Opens streams at a constant rate, StreamHellos and Chat in turn. A stream is
// balanced when it opens and then stays: all its messages must arrive, all from
// one server, and every server must get its share of streams. RATE counts
// streams, and the bounds of latency are of their first messages.
import exec from "k6/execution";
import { openLoop, readSettings } from "./lib/open_loop.ts";
import {
  chat,
  FIRST_MESSAGE_METRIC,
  readHellos,
  STREAM_THRESHOLDS,
} from "./lib/streams.ts";

const settings = readSettings("streams");

const test = openLoop({
  settings,
  perform: async (caller, given, tags) => {
    const open = exec.scenario.iterationInTest % 2 === 0 ? readHellos : chat;
    return [await open(caller, given, tags)];
  },
  latencyMetric: FIRST_MESSAGE_METRIC,
  thresholds: STREAM_THRESHOLDS,
  comment: () => [
    `Calls are streams of ${settings.messages} messages here; latency is the ` +
    "time to the first",
  ],
});

export const { options, setup, handleSummary } = test;
export default test.run;
