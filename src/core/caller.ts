/** What a caller records about its calls, and how it is printed. */
import { Histogram } from "./histogram.ts";
import { type Share, shares } from "./shares.ts";
import { tableLines } from "./table.ts";

/** How one call ended. */
export type Outcome =
  | { readonly kind: "reply"; readonly server: string; readonly number: number }
  | { readonly kind: "error"; readonly code: string; readonly details: string };

/** The record of one call. */
export type CallRecord = Outcome & {
  /** The call's running number, from 1. */
  readonly call: number;
  /** Until the reply, or a stream's first message. */
  readonly latencyMs: number;
};

/** The client's result, as `--json` prints it. */
export interface Summary {
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly shares: readonly Share[];
  /** Of the calls that succeeded; null if none did. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  } | null;
  readonly errors: Readonly<Record<string, number>>;
}

/**
 * Bounds the table and its memory: a peer may use another name in each reply.
 */
const KEYS_MAX = 100;

/** Stands for all names beyond. */
const OTHERS = "(others)";

/** Counts calls as they end. */
export class Ledger {
  readonly #byServer = new Map<string, number>();
  readonly #byCode = new Map<string, number>();
  readonly #latencies = new Histogram();
  #failed = 0;

  /** Adds one call. */
  add(call: CallRecord): void {
    if (call.kind === "reply") {
      this.#latencies.add(call.latencyMs);
      increment(this.#byServer, call.server);
    } else {
      this.#failed += 1;
      increment(this.#byCode, call.code);
    }
  }

  /** The result of all calls so far. */
  summary(): Summary {
    const latencies = this.#latencies;
    const at = (percent: number) => rounded(latencies.percentileMs(percent));
    return {
      calls: latencies.count + this.#failed,
      succeeded: latencies.count,
      failed: this.#failed,
      shares: shares(this.#byServer),
      latencyMs: latencies.count === 0 ? null : {
        p50: at(50),
        p95: at(95),
        p99: at(99),
        max: rounded(latencies.maxMs),
      },
      errors: Object.fromEntries(this.#byCode),
    };
  }
}

/**
 * Counts one more of a name that a peer has chosen.
 *
 * @param keysMax How many names are told apart (default 100).
 */
export function increment(
  counts: Map<string, number>,
  key: string,
  keysMax = KEYS_MAX,
): void {
  const own = counts.has(key) || counts.size < keysMax ? key : OTHERS;
  counts.set(own, (counts.get(own) ?? 0) + 1);
}

/** Rounds to tenths of a millisecond; anything finer is noise. */
export function rounded(value: number | undefined): number {
  return Math.round((value ?? 0) * 10) / 10;
}

/** The line for one call; columns do not shift in a day at a call a second. */
export function callLine(call: CallRecord): string {
  const outcome = call.kind === "reply"
    ? `${call.server.padEnd(9)}  reply ${String(call.number).padEnd(5)}`
    : call.code;
  const latency = `${call.latencyMs.toFixed(1)} ms`.padStart(9);
  const line = `call ${String(call.call).padEnd(5)}  ` +
    `${outcome.padEnd(OUTCOME_WIDTH)}  ${latency}`;
  return call.kind === "reply" ? line : `${line}  ${call.details}`;
}

/** Of "server-10  reply 12345", and of the longest name of a status. */
const OUTCOME_WIDTH = 22;

/** The final table. */
export function summaryLines(summary: Summary): readonly string[] {
  const { calls, succeeded, failed, latencyMs } = summary;
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  return [
    "",
    `${calls} calls, ${succeeded} succeeded, ${failed} failed`,
    ...(summary.shares.length === 0 ? [] : tableLines(
      ["server", "calls", "share"],
      summary.shares.map((s) => [s.server, String(s.calls), percent(s.share)]),
    )),
    ...(latencyMs === null ? [] : [
      `latency p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, ` +
      `p99 ${latencyMs.p99} ms, max ${latencyMs.max} ms`,
    ]),
    ...(failed === 0 ? [] : tableLines(
      ["error", "calls"],
      Object.entries(summary.errors).map(([code, n]) => [code, String(n)]),
    )),
  ];
}
