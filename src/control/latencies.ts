/** The latency of each server over the last seconds, as our callers saw it. */
import { rounded } from "../core/caller.ts";
import { Histogram } from "../core/histogram.ts";
import type { ServerLatency } from "./state.ts";

/** As many seconds as the live page takes shares and rates from. */
export const LATENCY_S = 10;

/** A peer may report a new name each time; those beyond are not kept. */
const NAMES_MAX = 64;

/** Collects latencies; whoever calls next() is the clock. */
export class Latencies {
  /** The last seconds, the one being counted last. */
  readonly #seconds: Map<string, Histogram>[] = [new Map()];
  #summaries: ReadonlyMap<string, ServerLatency> = new Map();

  /** Adds the latency of a call that a server answered. */
  add(server: string, latencyMs: number): void {
    const open = this.#seconds.at(-1);
    const found = open?.get(server);
    if (found !== undefined) return found.add(latencyMs);
    if (open === undefined || open.size >= NAMES_MAX) return;
    const made = new Histogram();
    made.add(latencyMs);
    open.set(server, made);
  }

  /** Ends the second and begins the next. */
  next(): void {
    const sums = new Map<string, Histogram>();
    for (
      const [server, histogram] of this.#seconds.flatMap((one) => [...one])
    ) {
      const sum = sums.get(server) ?? new Histogram();
      sum.addAll(histogram);
      sums.set(server, sum);
    }
    this.#summaries = new Map(
      [...sums].map(([server, sum]) => [server, {
        p50: rounded(sum.percentileMs(50)),
        p99: rounded(sum.percentileMs(99)),
      }]),
    );
    this.#seconds.push(new Map());
    if (this.#seconds.length > LATENCY_S) this.#seconds.shift();
  }

  /** Of the last finished seconds; null if the server answered no call. */
  of(server: string): ServerLatency | null {
    return this.#summaries.get(server) ?? null;
  }
}
