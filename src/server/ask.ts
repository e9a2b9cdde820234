/** What one server can be asked from the command line. */
import "./npm_protos.ts";
import {
  type Client,
  makeClientConstructor,
  type ServiceClientConstructor,
  status,
} from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { Failure } from "../core/errors.ts";
import {
  type FlagRows,
  hostAndPort,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { Operator, type ServerCounters } from "../io/proto.ts";
import {
  callUnary,
  connect,
  isServiceError,
  plainDetails,
  statusName,
} from "../io/rpc.ts";

/** Flags of the subcommands that ask a server. */
export const ASK_FLAGS = {
  target: {
    name: "target",
    placeholder: "HOST:PORT",
    help: "The server that is asked",
    default: "127.0.0.1:8080",
    env: "SERVER_TARGET",
    parse: hostAndPort,
  },
  service: {
    name: "service",
    placeholder: "NAME",
    help: "The service whose health is asked; the whole server unless given",
    default: "",
    parse: words(255),
  },
  deadlineMs: {
    name: "deadline",
    placeholder: "MILLIS",
    help: "How long the answer may take",
    default: 1000,
    parse: wholeNumber(1, 60_000),
  },
} as const satisfies FlagRows;

/** Who is asked, and how long the answer may take. */
export interface Question {
  readonly target: string;
  readonly deadlineMs: number;
}

/**
 * Asks a server for its health.
 *
 * @returns "SERVING" or another status of grpc.health.v1.
 * @throws {Failure} `failed` when there is no answer.
 */
export async function askHealth(
  question: Question & { readonly service: string },
): Promise<string> {
  const Health: ServiceClientConstructor = makeClientConstructor(
    healthService,
    "Health",
  );
  const reply = await ask<{ readonly status: string }>(
    Health,
    "check",
    { service: question.service },
    question,
  );
  return reply.status;
}

/**
 * Asks a server for its counters.
 *
 * @throws {Failure} `failed` when there is no answer.
 */
export function askCounters(question: Question): Promise<ServerCounters> {
  return ask<ServerCounters>(Operator, "GetCounters", {}, question);
}

/**
 * How long an answer may take before another connection is tried as well. The
 * first connection may be one that nobody answers on any more.
 */
const NEXT_TRY_MS = 250;

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

/** Asks, on one connection after another, until the first answer. */
async function ask<R>(
  service: ServiceClientConstructor,
  method: string,
  request: unknown,
  { target, deadlineMs }: Question,
): Promise<R> {
  const endMs = performance.now() + deadlineMs;
  const clients: Client[] = [];
  const answer = Promise.withResolvers<R>();
  let lastError: unknown;
  const tryOnce = () => {
    const client = connect(service, target);
    clients.push(client);
    const leftMs = Math.max(1, endMs - performance.now());
    callUnary<R>(client, method, request, { deadlineMs: leftMs }).then(
      ({ reply }) => answer.resolve(reply),
      (error) => {
        const code = isServiceError(error) ? error.code : status.UNKNOWN;
        if (!NO_ANSWER.has(code)) answer.reject(error);
        // That time is up says less than why the calls before it failed.
        if (code !== status.DEADLINE_EXCEEDED) lastError = error;
        else lastError ??= error;
      },
    );
  };
  tryOnce();
  const nextTry = setInterval(tryOnce, NEXT_TRY_MS);
  const timer = setTimeout(
    () => answer.reject(lastError ?? noAnswer(target, deadlineMs)),
    deadlineMs + LAST_STATUS_MS,
  );
  try {
    return await answer.promise;
  } catch (error) {
    if (!isServiceError(error)) throw error;
    throw new Failure(
      "failed",
      `No answer from ${target}: ${statusName(error.code)}, ${
        plainDetails(error.details)
      }`,
      { cause: error },
    );
  } finally {
    clearInterval(nextTry);
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
