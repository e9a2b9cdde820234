/**
 * The open loop: calls at an even pace, by schedule and not when the previous
 * one ended, so that slow answers do not lower the load.
 */
import { missedCalls, waitMs } from "../core/pacing.ts";
import { pause } from "./wait.ts";

/**
 * Why calls were skipped: `concurrency` calls were in flight, or the program
 * itself was held up.
 */
export type Cause = "full" | "heldUp";

/** A call that is due. */
export interface DueCall {
  /** Its index among the calls made, from 0. */
  readonly index: number;
  /** When it is scheduled, by the clock. */
  readonly dueAtMs: number;
  /** How late it starts. */
  readonly lateMs: number;
}

/** The options of the loop. */
export interface OpenLoopOptions {
  /** Infinity means as fast as `concurrency` allows: a closed loop. */
  readonly ratePerS: number;
  /** How many calls (default: until aborted). */
  readonly count?: number;
  /** Ends the loop, which then waits for calls in flight. */
  readonly signal?: AbortSignal | undefined;
  /** The most calls in flight (default: no limit). */
  readonly concurrency?: number;
  /** Makes one call, to its end. A rejection ends the loop. */
  readonly makeCall: (call: DueCall) => Promise<void>;
  /**
   * Called with calls that are skipped for being more than a second late;
   * without it, none is skipped.
   */
  readonly skip?: (calls: number, cause: Cause) => void;
  /** The clock, in milliseconds (default `performance.now`). */
  readonly now?: () => number;
  /** Resolves after the time, or at once when the signal is aborted. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** The result of the loop. */
export interface OpenLoopResult {
  /** The number of calls made. */
  readonly made: number;
  /**
   * Calls started per second, from the first to the last; the requested rate
   * when there were fewer than two.
   */
  readonly reachedPerS: number;
}

/**
 * The longest sleep: timers hold 31 bits of milliseconds, and one beyond that
 * fires at once.
 */
const SLEEP_MS_MAX = 3_600_000;

/**
 * Runs the loop; resolves when it has stopped and every call has ended.
 *
 * @throws What `makeCall` threw first, after every call has ended.
 */
export async function runOpenLoop(
  options: OpenLoopOptions,
): Promise<OpenLoopResult> {
  const { ratePerS, signal, makeCall, skip } = options;
  const { count = Infinity, concurrency = Infinity } = options;
  const { now = () => performance.now(), sleep = pause } = options;
  let inFlight = 0;
  let onEnd = () => {};
  const untilInFlight = async (max: number) => {
    while (inFlight > max) {
      await new Promise<void>((resolve) => onEnd = resolve);
    }
  };
  const defects: unknown[] = [];
  const startedAtMs = now();
  const elapsedMs = () => now() - startedAtMs;
  let made = 0;
  let lastAtMs = 0;
  // Skipped calls keep their place in the schedule.
  for (let planned = 0; made < count && !signal?.aborted;) {
    const pauseMs = () => waitMs(planned, elapsedMs(), ratePerS);
    while (pauseMs() > 0 && !signal?.aborted) {
      await sleep(Math.min(pauseMs(), SLEEP_MS_MAX), signal);
    }
    const isFull = inFlight >= concurrency;
    if (isFull) await untilInFlight(concurrency - 1);
    if (signal?.aborted || defects.length > 0) break;
    const missed = skip === undefined
      ? 0
      : missedCalls(planned, elapsedMs(), ratePerS);
    if (missed > 0) skip?.(missed, isFull ? "full" : "heldUp");
    planned += missed;
    lastAtMs = elapsedMs();
    const dueMs = planned * 1000 / ratePerS;
    const due = {
      index: made,
      dueAtMs: startedAtMs + dueMs,
      lateMs: lastAtMs - dueMs,
    };
    planned += 1;
    made += 1;
    inFlight += 1;
    void makeCall(due).catch((error) => void defects.push(error)).then(() => {
      inFlight -= 1;
      onEnd();
    });
  }
  await untilInFlight(0);
  if (defects.length > 0) throw defects[0];
  const reachedPerS = made < 2 || lastAtMs === 0
    ? ratePerS
    : (made - 1) * 1000 / lastAtMs;
  return { made, reachedPerS };
}
