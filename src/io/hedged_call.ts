/** Hedging: one call, made on several connections. */
import { type Client, status } from "@grpc/grpc-js";
import { Failure } from "../core/errors.ts";
import type { Service } from "./proto.ts";
import {
  callUnary,
  connect,
  isServiceError,
  type MethodOf,
  type ReplyOf,
  type RequestOf,
} from "./rpc.ts";

/**
 * How long an answer may take before the call is made once more. The
 * first connection may be one that nobody answers on any more.
 */
const HEDGING_DELAY_MS = 250;

/** After the deadline, each call still has to say how it ended. */
const LAST_STATUS_MS = 50;

/**
 * Statuses that tell of the connection and not of the server. UNIMPLEMENTED is
 * also what grpc-js makes of an answer whose message never came.
 */
const NO_ANSWER: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.UNIMPLEMENTED,
]);

/**
 * Makes one call, on one connection after another, until the first answer. The
 * server may see the call several times: it must do no harm then.
 *
 * @param options Whom to call, and how long all of its calls may take together.
 * @throws {ServiceError} The server's answer when it is a status, or else why
 * there is none.
 */
export async function callHedged<C extends Client, M extends MethodOf<C>>(
  service: Service<C>,
  method: M,
  request: RequestOf<C, M>,
  { target, deadlineMs }: {
    readonly target: string;
    readonly deadlineMs: number;
  },
): Promise<ReplyOf<C, M>> {
  const endMs = performance.now() + deadlineMs;
  const clients: Client[] = [];
  const answer = Promise.withResolvers<ReplyOf<C, M>>();
  let lastError: unknown;
  const hedge = () => {
    const client = connect(service, target);
    clients.push(client);
    const leftMs = Math.max(1, endMs - performance.now());
    callUnary(client, method, request, { deadlineMs: leftMs }).then(
      answer.resolve,
      (error) => {
        const code = isServiceError(error) ? error.code : status.UNKNOWN;
        if (!NO_ANSWER.has(code)) answer.reject(error);
        // That time is up says less than why the calls before it failed.
        if (code !== status.DEADLINE_EXCEEDED) lastError = error;
        else lastError ??= error;
      },
    );
  };
  hedge();
  const nextHedge = setInterval(hedge, HEDGING_DELAY_MS);
  const timer = setTimeout(
    () => answer.reject(lastError ?? noAnswer(target, deadlineMs)),
    deadlineMs + LAST_STATUS_MS,
  );
  try {
    return await answer.promise;
  } finally {
    clearInterval(nextHedge);
    clearTimeout(timer);
    for (const client of clients) client.close();
  }
}

function noAnswer(target: string, deadlineMs: number): Failure {
  return new Failure(
    "failed",
    `No answer from ${target} within ${deadlineMs} ms`,
  );
}
