/** Health: what checkers are told, and whether they have been told it. */
import "./npm_protos.ts";
import {
  type Server,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { GREETER_SERVICE } from "../io/proto.ts";

/** The services that have a health: the server as a whole, and the Greeter. */
const SERVICES = ["", GREETER_SERVICE] as const;

const CHECK_PATH = "/grpc.health.v1.Health/Check";

/** A checker that was silent for this long has gone away. */
const CHECKER_FORGOTTEN_MS = 15_000;

/**
 * Who asks once on a connection is a person or a container's health check,
 * and will not ask again; who asks twice is a balancer that must be told.
 */
const CHECKS_OF_A_CHECKER_MIN = 2;

/**
 * Whether a connection's first check was the only one is known after this
 * long: balancers ask every second or so.
 */
const FIRST_CHECK_UNDECIDED_MS = 1500;

/** What the checks of one connection were answered. */
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

  /** From now on every checker is told NOT_SERVING. */
  stop(): void {
    this.#isStopping = true;
    this.#tell();
  }

  /** Tells every checker NOT_SERVING for a while: a fault, not the truth. */
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
   * Notes that a checker was answered.
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

  /** The checkers that believe, by their last answer, that this one serves. */
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

/** Notes every answered health check in `health`. */
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
