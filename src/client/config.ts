/** The client's flags. */
import {
  type FlagRows,
  type FlagValues,
  hostAndPort,
  oneOf,
  positiveNumber,
  wholeNumber,
} from "../core/flags.ts";
import { filePath } from "../io/files.ts";

/** The Greeter's methods. */
const METHODS = ["SayHello", "StreamHellos", "Chat"] as const;

type Method = (typeof METHODS)[number];

/** The client's flags. */
export const CLIENT_FLAGS = {
  target: {
    name: "target",
    placeholder: "HOST:PORT",
    help: "The server or balancer to call",
    default: "localhost:5000",
    env: "CLIENT_TARGET",
    parse: hostAndPort,
  },
  tlsFolder: {
    name: "tls",
    placeholder: "FOLDER",
    help: "Speak TLS, with ca.crt, tls.crt and tls.key of this folder",
    default: "",
    env: "CLIENT_TLS",
    parse: filePath,
  },
  ratePerS: {
    name: "rate",
    placeholder: "CALLS",
    help: "Calls started per second",
    default: 1,
    env: "CLIENT_RATE",
    parse: positiveNumber(10_000),
  },
  concurrency: {
    name: "concurrency",
    placeholder: "CALLS",
    help:
      "Most calls in flight; above that, a due call waits up to a second and is then skipped",
    default: 100,
    env: "CLIENT_CONCURRENCY",
    parse: wholeNumber(1, 10_000),
  },
  deadlineMs: {
    name: "deadline",
    placeholder: "MILLIS",
    help: "How long one call may take",
    default: 2000,
    env: "CLIENT_DEADLINE_MS",
    parse: wholeNumber(1, 600_000),
  },
  count: {
    name: "count",
    placeholder: "CALLS",
    help: "Stop after this many calls; 0 means never",
    default: 0,
    env: "CLIENT_COUNT",
    parse: wholeNumber(0, 1_000_000_000),
  },
  durationS: {
    name: "duration",
    placeholder: "SECONDS",
    help: "Stop after this time; 0 means never",
    default: 0,
    env: "CLIENT_DURATION_S",
    parse: wholeNumber(0, 2_000_000),
  },
  connections: {
    name: "connections",
    placeholder: "COUNT",
    help: "Connections, used round robin",
    default: 1,
    env: "CLIENT_CONNECTIONS",
    parse: wholeNumber(1, 64),
  },
  method: {
    name: "method",
    placeholder: "METHOD",
    help: `${METHODS.join(", ")}; a stream has 10 messages in one second`,
    default: "SayHello" as Method,
    env: "CLIENT_METHOD",
    parse: oneOf(METHODS),
  },
  characters: {
    name: "characters",
    placeholder: "COUNT",
    help: "Length of the text in each request",
    default: 5,
    env: "CLIENT_CHARACTERS",
    parse: wholeNumber(1, 1024),
  },
  workMs: {
    name: "work",
    placeholder: "MILLIS",
    help: "How long the server works on each call",
    default: 0,
    env: "CLIENT_WORK_MS",
    parse: wholeNumber(0, 60_000),
  },
  json: {
    name: "json",
    help: "Print one JSON object per line",
    switch: true,
  },
} as const satisfies FlagRows;

/** The client's configuration. */
export type ClientConfig = FlagValues<typeof CLIENT_FLAGS>;
