/** The calls of a moment, for drawing. */
import type { CallsFrame, SeenCall } from "./state.ts";

/** The eye cannot tell more apart in a tenth of a second. */
const CALLS_MAX = 30;

/** Collects calls and hands out a fair sample of them. */
export class FrameOfCalls {
  readonly #random: () => number;
  #calls: SeenCall[] = [];
  #total = 0;

  /** @param random From 0 to below 1; chooses the sample. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Adds a call; each is equally likely to be sampled. */
  add(call: SeenCall): void {
    this.#total += 1;
    if (this.#calls.length < CALLS_MAX) {
      this.#calls.push(call);
      return;
    }
    const at = Math.floor(this.#random() * this.#total);
    if (at < CALLS_MAX) this.#calls[at] = call;
  }

  /** The calls since the last time; undefined if there are none. */
  take(): Pick<CallsFrame, "calls" | "total"> | undefined {
    if (this.#total === 0) return undefined;
    const frame = { calls: this.#calls, total: this.#total };
    this.#calls = [];
    this.#total = 0;
    return frame;
  }
}
