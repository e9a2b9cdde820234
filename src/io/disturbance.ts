/**
 * How much other work on the machine disturbed a run. Measurements on a busy
 * machine say little about the promise, so they never yield `broken`.
 */
import { Histogram } from "../core/histogram.ts";
import { type CpuTime, cpuTime, ownBetween } from "./cpu_time.ts";

/** How much a run was disturbed. */
export interface Disturbance {
  /** The 99th percentile of how late timers fired. */
  readonly timersLateMs: number;
  /** Above it the machine is busy (default 60 ms). */
  readonly timersLateMsMax?: number;
  /** The share of all CPU time that other programs took, 0 to 1. */
  readonly othersShare: number;
  /** The share that the virtual machine's host stole, 0 to 1. */
  readonly stolenShare: number;
}

/** How often a timer probes for lateness. */
const PROBE_INTERVAL_MS = 50;

/**
 * From runs on two cores: a quiet machine stays below 5 ms, 0.06 and 0.02; two
 * busy loops on each core push the share of others above 0.4.
 */
export const TIMERS_LATE_MS_MAX = 60;
const OTHERS_SHARE_MAX = 0.25;
const STOLEN_SHARE_MAX = 0.1;

/** The shares between two moments; pure. */
export function sharesBetween(
  before: CpuTime | undefined,
  after: CpuTime | undefined,
): Pick<Disturbance, "othersShare" | "stolenShare"> {
  const total = (after?.total ?? 0) - (before?.total ?? 0);
  if (before === undefined || after === undefined || total <= 0) {
    return { othersShare: 0, stolenShare: 0 };
  }
  const busy = after.busy - before.busy;
  const own = ownBetween(before, after);
  return {
    othersShare: Math.max(0, busy - own) / total,
    stolenShare: (after.stolen - before.stolen) / total,
  };
}

/**
 * Begins to measure.
 *
 * @param timersLateMsMax Above it the machine is busy.
 * @returns Ends it and tells what was measured.
 */
export async function watchDisturbance(
  timersLateMsMax: number,
): Promise<() => Promise<Disturbance>> {
  const before = await cpuTime();
  const late = new Histogram();
  let dueMs = performance.now() + PROBE_INTERVAL_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    late.add(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + PROBE_INTERVAL_MS;
  }, PROBE_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    return {
      timersLateMs: late.percentileMs(99) ?? 0,
      timersLateMsMax,
      ...sharesBetween(before, await cpuTime()),
    };
  };
}

/** Says why the machine was too busy; undefined if it was not. */
export function busyWords(disturbance: Disturbance): string | undefined {
  const {
    timersLateMs,
    timersLateMsMax = TIMERS_LATE_MS_MAX,
    othersShare,
    stolenShare,
  } = disturbance;
  const words: string[] = [];
  if (othersShare > OTHERS_SHARE_MAX) {
    words.push(`others took ${percent(othersShare)} of the processor`);
  }
  if (stolenShare > STOLEN_SHARE_MAX) {
    words.push(`its host took ${percent(stolenShare)}`);
  }
  if (timersLateMs > timersLateMsMax) {
    words.push(`timers were ${timersLateMs.toFixed(0)} ms late`);
  }
  return words.length === 0 ? undefined : words.join(", ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
