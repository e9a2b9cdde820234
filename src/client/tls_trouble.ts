/** Explains failed calls by what is wrong with TLS. */
import type { CallRecord } from "../core/caller.ts";

/** A handshake is made at most this often, however many calls fail. */
const INTERVAL_MS = 1000;

/** Finds out what is wrong with TLS, and remembers it for a second. */
export class TlsTrouble {
  readonly #ask: (details: string) => Promise<string | undefined>;
  readonly #now: () => number;
  #askedAtMs = -Infinity;
  #answer: Promise<string | undefined> = Promise.resolve(undefined);

  /**
   * @param ask Finds out what is wrong, given a failed call's details;
   * undefined if it is not TLS.
   * @param now The clock, in milliseconds.
   */
  constructor(
    ask: (details: string) => Promise<string | undefined>,
    now: () => number,
  ) {
    this.#ask = ask;
    this.#now = now;
  }

  /** The same call; its details say what is wrong with TLS, if that is it. */
  async explain(call: CallRecord): Promise<CallRecord> {
    if (call.kind !== "error" || call.code !== "UNAVAILABLE") return call;
    if (this.#now() - this.#askedAtMs >= INTERVAL_MS) {
      this.#askedAtMs = this.#now();
      this.#answer = this.#ask(call.details);
    }
    const details = await this.#answer;
    return details === undefined ? call : { ...call, details };
  }
}
