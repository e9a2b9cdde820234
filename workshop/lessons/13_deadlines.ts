/** One timeout for all callers, whatever deadline they bring. */
import { at } from "../../src/core/yaml.ts";
import { routeAction } from "../../src/experiment/changes.ts";
import { measuredBetween } from "../../src/experiment/judge.ts";
import type { RunContext } from "../../src/experiment/run_context.ts";
import { Greeter } from "../../src/io/proto.ts";
import { callToEnd, connect } from "../../src/io/rpc.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import { routePath } from "./_paths.ts";
import text from "./13_deadlines.md" with { type: "text" };

/** Each kind of caller calls this often, a moment apart. */
const CALLS = 5;
const APART_MS = 100;

const PATIENT_WORK_MS = 4000;
const PATIENT_DEADLINE_MS = 6000;

/** A caller without a deadline must be given an answer within this time. */
const WORDLESS_WORK_MS = 5000;
const WORDLESS_MS_MAX = 3500;

const UNARY = routePath("unary");

/** Makes calls of one kind and measures how each ends. */
async function callOften(
  run: RunContext,
  who: string,
  workMs: number,
  deadlineMs: number,
): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  run.addCalls(CALLS);
  await Promise.all(Array.from({ length: CALLS }, async (_, at) => {
    await run.wait(at * APART_MS);
    const madeAtMs = performance.now();
    const { status } = await callToEnd(
      client,
      "SayHello",
      { name: who, workMs },
      { deadlineMs, signal: run.signal },
    );
    run.measure(`${who}: ms`, performance.now() - madeAtMs);
    run.measure(`${who}: OK`, status === "OK" ? 1 : 0);
    run.measure(
      `${who}: DEADLINE_EXCEEDED`,
      status === "DEADLINE_EXCEEDED" ? 1 : 0,
    );
  }));
  client.close();
}

/** The limits of unary calls in a file. */
function limits(config: EnvoyConfig): {
  readonly timeout: unknown;
  readonly duration: unknown;
  readonly headerMax: unknown;
} {
  const action = routeAction(config, "unary");
  const field = (name: string) => at(action, "max_stream_duration", name);
  return {
    timeout: action["timeout"],
    duration: field("max_stream_duration"),
    headerMax: field("grpc_timeout_header_max"),
  };
}

export const deadlines: Lesson = {
  number: 13,
  name: "deadlines",
  title: "Who decides how long a call may take?",
  minutes: 11,
  text,
  start: [
    { path: [...UNARY, "max_stream_duration"], value: undefined },
    { path: [...UNARY, "timeout"], value: "1s" },
  ],
  solution: [
    { path: [...UNARY, "timeout"], value: undefined },
    {
      path: [...UNARY, "max_stream_duration"],
      value: { max_stream_duration: "3s", grpc_timeout_header_max: "65s" },
    },
  ],
  hints: [
    "A caller that brings a deadline has said how long it will wait; one " +
    "without has not. Which of the two is Envoy to decide for?",
    'The route "unary" has one "timeout" for both. A message named ' +
    '"max_stream_duration" can stand there instead: one field of it is for ' +
    'callers without a deadline, one for the header "grpc-timeout".',
    'Replace "timeout" with "max_stream_duration: { max_stream_duration: ' +
    '3s, grpc_timeout_header_max: 65s }".',
  ],
  check: {
    setup: { servers: 2 },
    load: { ratePerS: 20, durationMs: 6000, deadlineMs: 500 },
    events: [
      {
        atMs: 0,
        label: "callers that wait 6 s for work of 4 s",
        do: (run) =>
          callOften(run, "patient", PATIENT_WORK_MS, PATIENT_DEADLINE_MS),
      },
      {
        atMs: 0,
        label: "callers without a deadline and work of 5 s",
        do: (run) => callOften(run, "wordless", WORDLESS_WORK_MS, Infinity),
      },
    ],
    claims: [
      {
        id: "patient",
        text: "a caller that waits for 6 s gets its answer after 4 s",
        judge: measuredBetween("patient: OK", { min: 1 }),
        stillWrong:
          "Callers with a deadline of 6 s are cut off before their answer, " +
          "which takes 4 s",
      },
      {
        id: "wordless",
        text: "a caller without a deadline is sent away within 3.5 s",
        judge: measuredBetween("wordless: ms", {
          max: WORDLESS_MS_MAX,
          unit: "ms",
        }),
        stillWrong: "Callers without a deadline hold a call for too long",
      },
      {
        id: "status",
        text: "it is told DEADLINE_EXCEEDED",
        judge: measuredBetween("wordless: DEADLINE_EXCEEDED", { min: 1 }),
        stillWrong:
          "Callers whose time is up are not told DEADLINE_EXCEEDED, but a " +
          "status that they may retry",
      },
    ],
  },
  mistakes: [
    {
      name: "no header",
      edits: [
        { path: [...UNARY, "timeout"], value: undefined },
        {
          path: [...UNARY, "max_stream_duration"],
          value: { max_stream_duration: "3s" },
        },
      ],
      isIn: (config) => {
        const { duration, headerMax } = limits(config);
        return duration !== undefined && headerMax === undefined;
      },
      sentence:
        'Without "grpc_timeout_header_max" Envoy ignores the deadline that a ' +
        'caller sends in "grpc-timeout", so the limit for silent callers ' +
        "cuts everybody",
    },
    {
      name: "no timeout",
      edits: [{ path: [...UNARY, "timeout"], value: "0s" }],
      isIn: (config) => {
        const { timeout, duration } = limits(config);
        return timeout === "0s" && duration === undefined;
      },
      sentence:
        "Without any limit a caller that brings no deadline holds its call, " +
        "and a server, for as long as the server takes",
    },
    {
      name: "a longer timeout",
      edits: [{ path: [...UNARY, "timeout"], value: "6s" }],
      isIn: (config) => {
        const { timeout, duration } = limits(config);
        return duration === undefined && timeout !== "1s";
      },
      sentence:
        "One timeout cannot be long enough for callers that wait and short " +
        "enough for those that say nothing; Envoy has to read the callers' " +
        "deadlines",
    },
    {
      name: "a header limit that is too low",
      edits: [
        { path: [...UNARY, "timeout"], value: undefined },
        {
          path: [...UNARY, "max_stream_duration"],
          value: { max_stream_duration: "3s", grpc_timeout_header_max: "3s" },
        },
      ],
      isIn: (config) => {
        const seconds = Number.parseFloat(String(limits(config).headerMax));
        return seconds > 0 && seconds < PATIENT_DEADLINE_MS / 1000;
      },
      sentence:
        '"grpc_timeout_header_max" is the longest deadline that Envoy ' +
        "believes: a longer one is cut to it",
    },
  ],
};
