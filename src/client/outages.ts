/** Reports when calls start failing and when they succeed again. */
import type { CallRecord } from "../core/caller.ts";

/** Statuses with a certain meaning; any other is only named. */
const MEANINGS: Readonly<Record<string, string>> = {
  DEADLINE_EXCEEDED: "no answer in time",
  UNAVAILABLE: "unavailable",
};

/** Bounds the lines per outage: a peer may send any number of statuses. */
const SENTENCES_MAX = 5;

/** Watches calls in the order they end. */
export class Outages {
  readonly #now: () => number;
  /** The statuses reported since calls began to fail. */
  readonly #told = new Set<string>();
  #failingSinceMs: number | undefined;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The sentence to print after this call, if there is something new. */
  afterCall(call: CallRecord): string | undefined {
    if (call.kind === "error") {
      this.#failingSinceMs ??= this.#now() - call.latencyMs;
      const { code } = call;
      if (this.#told.has(code) || this.#told.size >= SENTENCES_MAX) {
        return undefined;
      }
      this.#told.add(code);
      const meaning = MEANINGS[code] ?? `calls end with ${code}`;
      return `${meaning}; the client keeps calling`;
    }
    const sinceMs = this.#failingSinceMs;
    if (sinceMs === undefined) return undefined;
    this.#failingSinceMs = undefined;
    this.#told.clear();
    const seconds = ((this.#now() - sinceMs) / 1000).toFixed(1);
    return `calls succeed again after ${seconds} s`;
  }
}
