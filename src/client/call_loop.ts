/** The client's loop: calls at an even pace, until it is told to stop. */
import { waitMs } from "../core/pacing.ts";

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
 * @throws What `makeCall` or `record` threw first, after every call has ended.
 */
export async function runCallLoop(options: LoopOptions): Promise<void> {
  const { signal, now } = options;
  const inFlight = new Set<Promise<void>>();
  const defects: unknown[] = [];
  const startedAtMs = now();
  for (let index = 0; !isDone(options, index); index += 1) {
    const pauseMs = () => waitMs(index, now() - startedAtMs, options.ratePerS);
    while (pauseMs() > 0 && !signal.aborted) {
      await options.sleep(Math.min(pauseMs(), SLEEP_MS_MAX), signal);
    }
    while (inFlight.size >= options.concurrency) await Promise.race(inFlight);
    if (signal.aborted || defects.length > 0) break;
    const call: Promise<void> = makeOne(options, index + 1)
      .catch((error) => void defects.push(error))
      .finally(() => inFlight.delete(call));
    inFlight.add(call);
  }
  await Promise.all(inFlight);
  if (defects.length > 0) throw defects[0];
}

function isDone({ count, signal }: LoopOptions, made: number): boolean {
  return signal.aborted || (count > 0 && made >= count);
}

async function makeOne(options: LoopOptions, call: number): Promise<void> {
  const startedAtMs = options.now();
  const outcome = await options.makeCall();
  options.record({ ...outcome, call, latencyMs: options.now() - startedAtMs });
}
