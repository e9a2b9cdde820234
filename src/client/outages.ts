/** Says when answers stop coming and when they come again. */
import type { CallRecord } from "./call_loop.ts";

/** Watches the calls' ends in the order in which they come. */
export class Outages {
  readonly #now: () => number;
  #failingSinceMs: number | undefined;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The sentence to print after this call, if the state has changed. */
  afterCall(call: CallRecord): string | undefined {
    const sinceMs = this.#failingSinceMs;
    if (call.kind === "error") {
      this.#failingSinceMs ??= this.#now() - call.latencyMs;
      return sinceMs === undefined
        ? "no answer; going on until calls succeed again"
        : undefined;
    }
    this.#failingSinceMs = undefined;
    if (sinceMs === undefined) return undefined;
    const seconds = ((this.#now() - sinceMs) / 1000).toFixed(1);
    return `answered again after ${seconds} s`;
  }
}
