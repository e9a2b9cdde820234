/** Counts calls per second, for the last five minutes. */
import { increment } from "../core/caller.ts";
import { Histogram } from "../core/histogram.ts";
import type { Listener, Second, SeenCall } from "./state.ts";

/** How many seconds are kept. */
export const SECONDS_KEPT = 300;

/** A peer may report a new name each time. */
const NAMES_MAX = 64;

type Counts = Map<string, number>;

/** The second being counted. */
class OpenSecond {
  readonly atMs: number;
  readonly #answers = { l7: new Map(), l4: new Map() } satisfies Record<
    Listener,
    Counts
  >;
  readonly #latencies = { l7: new Histogram(), l4: new Histogram() };
  readonly #errors: Counts = new Map();
  #retries = 0;
  overflows = 0;

  constructor(atMs: number) {
    this.atMs = atMs;
  }

  /** Counts a call to draw: Envoy's view for L7, the callers' for L4. */
  addCall({ listener, servers, status, flags }: SeenCall): void {
    const server = servers.at(-1) ?? "";
    if (status === "OK") increment(this.#answers[listener], server, NAMES_MAX);
    else {
      const error = flags === "" ? status : `${status} ${flags}`;
      increment(this.#errors, error, NAMES_MAX);
    }
    this.#retries += Math.max(0, servers.length - 1);
  }

  addLatency(listener: Listener, latencyMs: number): void {
    this.#latencies[listener].add(latencyMs);
  }

  done(): Second {
    const latencies = (listener: Listener) => {
      const histogram = this.#latencies[listener];
      if (histogram.count === 0) return null;
      const at = (percent: number) => histogram.percentileMs(percent) ?? 0;
      return { p50: at(50), p90: at(90), p99: at(99) };
    };
    return {
      atMs: this.atMs,
      answers: {
        l7: Object.fromEntries(this.#answers.l7),
        l4: Object.fromEntries(this.#answers.l4),
      },
      latencyMs: { l7: latencies("l7"), l4: latencies("l4") },
      errors: Object.fromEntries(this.#errors),
      retries: this.#retries,
      overflows: this.overflows,
    };
  }
}

/** Counts calls; whoever calls next() is the clock. */
export class Seconds {
  readonly #kept: Second[] = [];
  #open: OpenSecond;

  /** @param nowMs Milliseconds since 1970. */
  constructor(nowMs: number) {
    this.#open = new OpenSecond(nowMs);
  }

  /** The finished seconds, oldest first. */
  get kept(): readonly Second[] {
    return this.#kept;
  }

  /** Adds a call that has ended. */
  addCall(call: SeenCall): void {
    this.#open.addCall(call);
  }

  /** Adds the latency of a call of our own callers. */
  addLatency(listener: Listener, latencyMs: number): void {
    this.#open.addLatency(listener, latencyMs);
  }

  /** Adds calls that Envoy's circuit breaker refused. */
  addOverflows(count: number): void {
    this.#open.overflows += count;
  }

  /** Ends the second and begins the next. @returns The finished one. */
  next(nowMs: number): Second {
    const done = this.#open.done();
    this.#kept.push(done);
    if (this.#kept.length > SECONDS_KEPT) this.#kept.shift();
    this.#open = new OpenSecond(nowMs);
    return done;
  }
}
