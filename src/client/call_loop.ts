/** The client's loop: calls at an even pace, until it is told to stop. */
import { missedCalls, waitMs } from "../core/pacing.ts";
import type { Cause } from "./shortfall.ts";

/** How one call ended. */
export type Outcome =
  | { readonly kind: "reply"; readonly server: string; readonly number: number }
  | { readonly kind: "error"; readonly code: string; readonly details: string };

/** One call, as it is recorded. */
export type CallRecord = Outcome & {
  /** The call's running number, from 1. */
  readonly call: number;
  readonly latencyMs: number;
};

/** What the loop is given; a test gives it a clock of its own. */
export interface LoopOptions {
  readonly ratePerS: number;
  readonly concurrency: number;
  /** 0 goes on for ever. */
  readonly count: number;
  /** Ends the loop; calls in flight are waited for. */
  readonly signal: AbortSignal;
  /** Makes one call. When it rejects, or `record` throws, the loop ends. */
  readonly makeCall: () => Promise<Outcome>;
  readonly record: (call: CallRecord) => void;
  /** Told of calls that are left out, since they are too late. */
  readonly skip: (calls: number, cause: Cause) => void;
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** Resolves after the time, or at once when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * The longest sleep: timers hold 31 bits of milliseconds, and one that is set
 * beyond them fires at once.
 */
const SLEEP_MS_MAX = 3_600_000;

/**
 * Runs the loop; resolves when it was stopped and every call has ended.
 *
 * @returns How many calls were started each second, from the first to the
 * last; the rate itself when there were fewer than two.
 * @throws What `makeCall` or `record` threw first, after every call has ended.
 */
export async function runCallLoop(options: LoopOptions): Promise<number> {
  const { signal, now } = options;
  const inFlight = new Set<Promise<void>>();
  const defects: unknown[] = [];
  const startedAtMs = now();
  const elapsedMs = () => now() - startedAtMs;
  let made = 0;
  let lastAtMs = 0;
  // Calls that are left out have a place in the plan, but are not made.
  for (let planned = 0; !isDone(options, made);) {
    const pauseMs = () => waitMs(planned, elapsedMs(), options.ratePerS);
    while (pauseMs() > 0 && !signal.aborted) {
      await options.sleep(Math.min(pauseMs(), SLEEP_MS_MAX), signal);
    }
    const isFull = inFlight.size >= options.concurrency;
    while (inFlight.size >= options.concurrency) await Promise.race(inFlight);
    if (signal.aborted || defects.length > 0) break;
    const missed = missedCalls(planned, elapsedMs(), options.ratePerS);
    if (missed > 0) {
      options.skip(missed, isFull ? "full" : "held up");
      planned += missed;
    }
    planned += 1;
    made += 1;
    lastAtMs = elapsedMs();
    const call: Promise<void> = makeOne(options, made)
      .catch((error) => void defects.push(error))
      .finally(() => inFlight.delete(call));
    inFlight.add(call);
  }
  await Promise.all(inFlight);
  if (defects.length > 0) throw defects[0];
  return made < 2 || lastAtMs === 0
    ? options.ratePerS
    : (made - 1) * 1000 / lastAtMs;
}

function isDone({ count, signal }: LoopOptions, made: number): boolean {
  return signal.aborted || (count > 0 && made >= count);
}

async function makeOne(options: LoopOptions, call: number): Promise<void> {
  const startedAtMs = options.now();
  const outcome = await options.makeCall();
  options.record({ ...outcome, call, latencyMs: options.now() - startedAtMs });
}
