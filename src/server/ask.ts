/** What the command line can ask of one server. */
import "./npm_protos.ts";
import { type Client, makeClientConstructor } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import {
  type FlagRows,
  hostAndPort,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { printableName } from "../core/printable.ts";
import {
  Admin,
  type ServerCounters,
  type Service,
  type UnaryMethod,
} from "../io/proto.ts";
import { callHedged } from "../io/hedged_call.ts";

/** A client of grpc.health.v1.Health. */
export interface HealthClient extends Client {
  check: UnaryMethod<{ readonly service: string }, { readonly status: string }>;
}

/** grpc.health.v1.Health. */
export const HealthService = makeClientConstructor(
  healthService,
  "Health",
) as unknown as Service<HealthClient>;

/** The flags of the subcommands that query a server. */
export const ASK_FLAGS = {
  target: {
    name: "target",
    placeholder: "HOST:PORT",
    help: "The server to ask",
    default: "127.0.0.1:8080",
    env: "SERVER_TARGET",
    parse: hostAndPort,
  },
  service: {
    name: "service",
    placeholder: "NAME",
    help: "The service to check; the whole server by default",
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

/** Our servers count three methods. */
const METHODS_MAX = 100;

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
  const { service } = question;
  const { status } = await callHedged(
    HealthService,
    "check",
    { service },
    question,
  );
  return printableName(String(status));
}

/**
 * Asks a server for its counters.
 *
 * @throws {Failure} `failed` when there is no answer.
 */
export async function askCounters(
  question: Question,
): Promise<ServerCounters> {
  const counters = await callHedged(Admin, "GetCounters", {}, question);
  return {
    ...counters,
    server: printableName(counters.server),
    methods: counters.methods.slice(0, METHODS_MAX).map((counts) => ({
      ...counts,
      method: printableName(counts.method),
    })),
  };
}
