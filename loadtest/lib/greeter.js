// Calls of the demo's service, counted.
import grpc from "k6/net/grpc";
import { Counter } from "k6/metrics";
import { printable } from "./printable.js";

/** The names of gRPC's status codes, by number. */
const STATUS_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** What stands before a status's name in the name of its counter. */
export const STATUS_PREFIX = "status_";

const statusCounters = STATUS_NAMES.map((name) =>
  new Counter(`${STATUS_PREFIX}${name}`)
);

/** Every call that was made, in set-up and warm-up too. */
const callsSent = new Counter("calls_sent");

/** Tries beyond the first, as Envoy tells them in a header of the reply. */
const retries = new Counter("retries");

const CONNECT_LIMIT = "5s";

/** A VU's own client: each VU has its own copy of this module. */
export const client = new grpc.Client();
// k6 looks for it beside the script that is run.
client.load(["../proto"], "demo/v1/greeter.proto");

let isConnected = false;

/**
 * Connects unless this VU is connected already.
 * @throws When nothing listens.
 */
export function connectOnce(target) {
  if (isConnected) return;
  client.connect(target, { plaintext: true, timeout: CONNECT_LIMIT });
  isConnected = true;
}

/** Ends the VU's connection. */
export function disconnect() {
  client.close();
  isConnected = false;
}

function request(settings, tags) {
  return [
    "demo.v1.Greeter/SayHello",
    { name: "k6", workMs: settings.workMs },
    {
      // The server's name is in a header, so the message is not decoded.
      discardResponseMessage: true,
      timeout: settings.deadlineMs,
      tags,
    },
  ];
}

/** Counts a call, or a stream, that has ended with a status. */
export function countEnd(status) {
  callsSent.add(1);
  // k6's status is an object, not a number.
  statusCounters[Number(status)].add(1);
}

function readReply(response) {
  countEnd(response.status);
  const headers = response.headers || {};
  const attempts = Number(headers["x-envoy-attempt-count"] || 1);
  if (attempts > 1) retries.add(attempts - 1);
  const isOk = response.status === grpc.StatusOK;
  const [server = ""] = headers["x-server-name"] || [];
  const error = response.error ? response.error.message : "";
  return { isOk, server: printable(server), error: printable(error) };
}

/** Makes one call: whether it succeeded, and which server answered. */
export function sayHello(settings, tags) {
  return readReply(client.invoke(...request(settings, tags)));
}

/** Makes one call without waiting: a promise of what `sayHello` returns. */
export function sayHelloLater(settings, tags) {
  return client.asyncInvoke(...request(settings, tags)).then(readReply);
}
