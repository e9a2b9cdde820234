/** The calls of a moment, for those who draw them. */
import type { CallsFrame, SeenCall } from "./state.ts";

/** More in a tenth of a second cannot be told apart by eye. */
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

  /** Adds a call: each has the same chance to be in the sample. */
  add(call: SeenCall): void {
    this.#total += 1;
    if (this.#calls.length < CALLS_MAX) {
      this.#calls.push(call);
      return;
    }
    const at = Math.floor(this.#random() * this.#total);
    if (at < CALLS_MAX) this.#calls[at] = call;
  }

  /** What came since the last time; undefined if that is nothing. */
  take(): Pick<CallsFrame, "calls" | "total"> | undefined {
    if (this.#total === 0) return undefined;
    const frame = { calls: this.#calls, total: this.#total };
    this.#calls = [];
    this.#total = 0;
    return frame;
  }
}
