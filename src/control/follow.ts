/** Reports in one sentence what follows when something is done to a server. */
import type { EnvoyView, Listener, ProcessState } from "./state.ts";

/** What is known about a server, and the counts of all, at one moment. */
export interface Sight {
  /** Milliseconds of any clock. */
  readonly atMs: number;
  readonly process: ProcessState;
  readonly envoy: EnvoyView;
  /** Envoy's retries since the start. */
  readonly retries: number;
  /** Our callers' lost calls since the start. */
  readonly lost: Lost;
}

/** Lost calls through each listener. */
export type Lost = Readonly<Record<Listener, number>>;

/** What was lost between two moments; L4, which protects nobody, apart. */
export function lostWords(before: Lost, after: Lost): string {
  const atL4 = after.l4 - before.l4;
  return `${after.l7 - before.l7} lost` + (atL4 === 0 ? "" : `, ${atL4} at L4`);
}

/** How long to wait for late effects once it is back. */
const SETTLE_MS = 1500;

/** Envoy checks every second; what it has not noticed by then it never will. */
const NOTICE_LIMIT_MS = 8000;

/** The longest that anything is followed. */
const FOLLOW_LIMIT_MS = 120_000;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function calls(count: number, what: string): string {
  return `${count} ${count === 1 ? "call" : "calls"} ${what}`;
}

/** Words for why a server gets no calls. */
const OUT_WORDS: Readonly<Record<EnvoyView, string>> = {
  healthy: "",
  "failing checks": "Envoy took it out of rotation",
  ejected: "Envoy ejected it",
  draining: "Envoy sent no more calls to it",
  "not in DNS": "Envoy dropped it",
  unknown: "Envoy lost sight of it",
};

/** Follows one server. */
export class Follow {
  readonly #what: string;
  readonly #start: Sight;
  #outAfterMs: number | undefined;
  #outWords = "";
  #backAtMs: number | undefined;
  #last: Sight;
  /** Whether the sentence is complete. */
  isOver = false;

  /**
   * @param what What was done: "server-2 killed".
   * @param start What was known just before.
   */
  constructor(what: string, start: Sight) {
    this.#what = what;
    this.#start = start;
    this.#last = start;
  }

  /** Adds the latest sight. */
  see(sight: Sight): void {
    this.#last = sight;
    const sinceMs = sight.atMs - this.#start.atMs;
    const isGood = sight.envoy === "healthy" && sight.process === "running";
    if (this.#outAfterMs === undefined) {
      if (sight.envoy !== "healthy" && sight.envoy !== "unknown") {
        this.#outAfterMs = sinceMs;
        this.#outWords = OUT_WORDS[sight.envoy];
      }
    } else if (!isGood) this.#backAtMs = undefined;
    else this.#backAtMs ??= sight.atMs;
    const isSettled = this.#backAtMs !== undefined &&
      sight.atMs - this.#backAtMs >= SETTLE_MS;
    const isUnnoticed = this.#outAfterMs === undefined && isGood &&
      sinceMs >= NOTICE_LIMIT_MS;
    this.isOver = isSettled || isUnnoticed || sinceMs >= FOLLOW_LIMIT_MS;
  }

  /** The sentence as far as it is known. */
  text(): string {
    const retried = this.#last.retries - this.#start.retries;
    const parts = [
      this.#what,
      ...(this.#outAfterMs === undefined
        ? (this.isOver ? ["Envoy kept calling it"] : [])
        : [`${this.#outWords} after ${seconds(this.#outAfterMs)}`]),
      `${calls(retried, "retried")}, ` +
      lostWords(this.#start.lost, this.#last.lost),
      ...(this.#backAtMs === undefined
        ? []
        : [`back after ${seconds(this.#backAtMs - this.#start.atMs)}`]),
    ];
    return parts.join("; ");
  }
}
