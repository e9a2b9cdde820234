/** The health service, and whether every health checker has seen a change. */
import "./npm_protos.ts";
import {
  type Server,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { GREETER_SERVICE } from "../io/proto.ts";

/** Services with a health status: "" is the server as a whole. */
const SERVICES = ["", GREETER_SERVICE] as const;

const CHECK_PATH = "/grpc.health.v1.Health/Check";

/** A checker silent for this long is gone. */
const CHECKER_FORGOTTEN_MS = 15_000;

/**
 * A single check on a connection comes from a person or a container probe and
 * is not repeated; two or more come from a load balancer, which must see
 * NOT_SERVING before the server stops.
 */
const CHECKS_OF_A_CHECKER_MIN = 2;

/** How long a second check may take: balancers check about every second. */
const FIRST_CHECK_UNDECIDED_MS = 1500;

/** The answers to the health checks on one connection. */
interface Answers {
  readonly count: number;
  /** When the last one was answered. */
  readonly atMs: number;
  /** Whether the last answer was SERVING. */
  readonly isServing: boolean;
}

/** The health service of one server. */
export class Health {
  readonly #implementation = new HealthImplementation(
    Object.fromEntries(SERVICES.map((name) => [name, "SERVING" as const])),
  );
  readonly #answers = new Map<string, Answers>();
  readonly #now: () => number;
  #isStopping = false;
  #isNotServing = false;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Adds the service to a server. */
  addToServer(server: Server): void {
    this.#implementation.addToServer(server);
  }

  /** Answers NOT_SERVING from now on. */
  stop(): void {
    this.#isStopping = true;
    this.#tell();
  }

  /** Turns the fault of answering NOT_SERVING on or off. */
  setNotServing(isNotServing: boolean): void {
    this.#isNotServing = isNotServing;
    this.#tell();
  }

  #tell(): void {
    const isServing = !this.#isStopping && !this.#isNotServing;
    for (const name of SERVICES) {
      this.#implementation.setStatus(
        name,
        isServing ? "SERVING" : "NOT_SERVING",
      );
    }
  }

  /**
   * Records an answer to a checker.
   *
   * @param peer Its address and port.
   * @param isServing Whether the answer was SERVING.
   */
  noteAnswer(peer: string, isServing: boolean): void {
    const forgottenMs = this.#now() - CHECKER_FORGOTTEN_MS;
    for (const [known, { atMs }] of this.#answers) {
      if (atMs < forgottenMs) this.#answers.delete(known);
    }
    const count = (this.#answers.get(peer)?.count ?? 0) + 1;
    this.#answers.set(peer, { count, atMs: this.#now(), isServing });
  }

  /** The checkers whose last answer was SERVING. */
  uninformed(): readonly string[] {
    const nowMs = this.#now();
    return [...this.#answers]
      .filter(([, { count, atMs, isServing }]) => {
        const isPeriodic = count >= CHECKS_OF_A_CHECKER_MIN;
        const believedMs = isPeriodic
          ? CHECKER_FORGOTTEN_MS
          : FIRST_CHECK_UNDECIDED_MS;
        return isServing && nowMs - atMs < believedMs;
      })
      .map(([peer]) => peer);
  }
}

/** Records every answered health check in `health`. */
export function observeChecks(health: Health): ServerInterceptor {
  return (descriptor, call) => {
    if (descriptor.path !== CHECK_PATH) return new ServerInterceptingCall(call);
    let isServing = false;
    return new ServerInterceptingCall(call, {
      sendMessage: (message: { readonly status?: unknown }, next) => {
        isServing = message.status === "SERVING";
        next(message);
      },
      sendStatus: (sent, next) => {
        next(sent);
        if (sent.code !== status.OK) return;
        health.noteAnswer(call.getPeer(), isServing);
      },
    });
  };
}
