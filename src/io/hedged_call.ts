/** Hedging: one call, sent on several connections. */
import type { Client } from "@grpc/grpc-js";
import { Failure } from "../core/errors.ts";
import type { Service } from "./proto.ts";
import {
  callToEnd,
  connect,
  type MethodOf,
  type ReplyOf,
  type RequestOf,
  type UnaryEnd,
} from "./rpc.ts";

/**
 * How long an answer may take before the call is sent again: the peer may no
 * longer answer on the first connection.
 */
const HEDGING_DELAY_MS = 250;

/** After the deadline, each call still has to report its status. */
const LAST_STATUS_MS = 50;

/**
 * Statuses that concern the connection rather than the server. grpc-js also
 * reports UNIMPLEMENTED when an answer's message never arrived.
 */
const NO_ANSWER: ReadonlySet<string> = new Set([
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
  "UNAVAILABLE",
  "UNIMPLEMENTED",
]);

/**
 * Makes one call, on one connection after another, until the first answer. The
 * server may see it several times, so it must be idempotent.
 *
 * @param options The target, the deadline of all attempts together, and the
 * beginning of the sentence that reports a status other than OK. With `kept`
 * the connection that answers stays open there, and the next call begins with
 * it: Deno's `node:http2` leaks about 30 KiB with each one that is closed.
 * @throws {Failure} `failed` when there is no answer, or an error status.
 */
export async function callHedged<C extends Client, M extends MethodOf<C>>(
  service: Service<C>,
  method: M,
  request: RequestOf<C, M>,
  { target, deadlineMs, complaint = `No answer from ${target}`, kept }: {
    readonly target: string;
    readonly deadlineMs: number;
    readonly complaint?: string;
    readonly kept?: C[];
  },
): Promise<ReplyOf<C, M>> {
  type End = UnaryEnd<ReplyOf<C, M>>;
  const endMs = performance.now() + deadlineMs;
  const clients: C[] = [];
  const answered = new Set<C>();
  const answer = Promise.withResolvers<End | undefined>();
  let last: End | undefined;
  const hedge = async () => {
    const client = kept?.pop() ?? connect(service, target);
    clients.push(client);
    const leftMs = Math.max(1, endMs - performance.now());
    const options = { deadlineMs: leftMs };
    const end = await callToEnd(client, method, request, options);
    if (!NO_ANSWER.has(end.status)) {
      answered.add(client);
      answer.resolve(end);
    }
    // Why earlier attempts failed says more than that time is up.
    if (end.status !== "DEADLINE_EXCEEDED") last = end;
    else last ??= end;
  };
  void hedge();
  const nextHedge = setInterval(() => void hedge(), HEDGING_DELAY_MS);
  const timer = setTimeout(
    () => answer.resolve(last),
    deadlineMs + LAST_STATUS_MS,
  );
  const end = await answer.promise;
  clearInterval(nextHedge);
  clearTimeout(timer);
  for (const client of clients) {
    if (answered.has(client) && kept?.length === 0) kept.push(client);
    else client.close();
  }
  if (end?.reply !== undefined) return end.reply;
  throw new Failure(
    "failed",
    end === undefined
      ? `No answer from ${target} within ${deadlineMs} ms`
      : `${complaint}: ${end.status}, ${end.details}`,
    { cause: end?.error },
  );
}
