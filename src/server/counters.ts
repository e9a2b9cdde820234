/**
 * The server's own ledger: every Greeter call, counted where it enters and
 * where its status leaves. What callers saw and what Envoy counted must agree
 * with it.
 */
import {
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import {
  GREETER_SERVICE,
  type MethodCounters,
  type ServerCounters,
} from "../io/proto.ts";

type Tally = { -readonly [K in keyof MethodCounters]: MethodCounters[K] };

/** Counts calls by method. */
export class Counters {
  readonly #server: string;
  readonly #now: () => number;
  readonly #startedAtMs: number;
  readonly #tallies = new Map<string, Tally>();

  /**
   * @param server The server's name, for the report.
   * @param now The clock, in milliseconds.
   */
  constructor(server: string, now: () => number = Date.now) {
    this.#server = server;
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** Counts the start of a call; the function returned counts its end, once. */
  start(method: string): (outcome: "ok" | "failed" | "cancelled") => void {
    const tally = this.#tally(method);
    tally.started += 1;
    tally.inFlight += 1;
    tally.inFlightMax = Math.max(tally.inFlightMax, tally.inFlight);
    let hasEnded = false;
    return (outcome) => {
      if (hasEnded) return;
      hasEnded = true;
      tally.inFlight -= 1;
      tally[outcome] += 1;
    };
  }

  /** Calls in flight, over all methods. */
  get inFlight(): number {
    return [...this.#tallies.values()].reduce((sum, t) => sum + t.inFlight, 0);
  }

  /** The counts so far. */
  report(): ServerCounters {
    return {
      server: this.#server,
      uptimeMs: this.#now() - this.#startedAtMs,
      methods: [...this.#tallies.values()].map((tally) => ({ ...tally })),
    };
  }

  #tally(method: string): Tally {
    const known = this.#tallies.get(method);
    if (known !== undefined) return known;
    const fresh: Tally = {
      method,
      started: 0,
      ok: 0,
      failed: 0,
      cancelled: 0,
      inFlight: 0,
      inFlightMax: 0,
    };
    this.#tallies.set(method, fresh);
    return fresh;
  }
}

/** Counts the Greeter's calls into `counters`. */
export function countCalls(counters: Counters): ServerInterceptor {
  return (descriptor, call) => {
    const [, service, method] = descriptor.path.split("/");
    if (service !== GREETER_SERVICE || method === undefined) {
      return new ServerInterceptingCall(call);
    }
    const end = counters.start(method);
    return new ServerInterceptingCall(call, {
      start: (next) => next({ onCancel: () => end("cancelled") }),
      sendStatus: (sent, next) => {
        end(sent.code === status.OK ? "ok" : "failed");
        next(sent);
      },
    });
  };
}
