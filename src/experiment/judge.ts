/** Judges: what claims are made of. All of them are pure. */
import type { Judge, Judgement } from "./experiment.ts";
import type { CallRecord, History } from "./history.ts";

/** Fewer calls than this tell nothing. */
const CALLS_MIN = 50;

/** The claim is true. */
export function held(measured: string): Judgement {
  return { verdict: "held", measured };
}

/** The claim is false. */
export function broken(measured: string): Judgement {
  return { verdict: "broken", measured };
}

/** There is too little to tell. */
export function unknown(measured: string): Judgement {
  return { verdict: "unknown", measured };
}

/** `held` if the condition is true, else `broken`. */
export function heldIf(isTrue: boolean, measured: string): Judgement {
  return isTrue ? held(measured) : broken(measured);
}

/** A part of a run: `fromMs` up to, not including, `toMs`. */
export interface Window {
  /** Milliseconds after the start of the load (default 0). */
  readonly fromMs?: number;
  /** (default: the end). */
  readonly toMs?: number;
}

/** The calls that were due within a part of the run. */
export function callsIn(
  history: History,
  { fromMs = 0, toMs = Infinity }: Window = {},
): readonly CallRecord[] {
  return history.calls.filter(({ startMs }) =>
    startMs >= fromMs && startMs < toMs
  );
}

/** Whether a call failed, be it meant to or not. */
export function isFailed({ status }: CallRecord): boolean {
  return status !== "OK";
}

/** Whether a call failed that was not meant to. */
export function isLost(call: CallRecord): boolean {
  return isFailed(call) && call.failedAsMeant !== true;
}

/** What became of some calls; the rest of them succeeded. */
export interface Outcomes {
  readonly calls: number;
  readonly failedAsMeant: number;
  readonly lost: number;
}

/** Counts what became of some calls. */
export function outcomesOf(calls: readonly CallRecord[]): Outcomes {
  const failed = calls.filter(isFailed).length;
  const lost = calls.filter(isLost).length;
  return { calls: calls.length, failedAsMeant: failed - lost, lost };
}

/** Calls that were due within a part of the run and end as UNAVAILABLE. */
export function unavailableIn(
  { fromMs = 0, toMs = Infinity }: Window = {},
): (call: CallRecord) => boolean {
  return ({ status, startMs }) =>
    status === "UNAVAILABLE" && startMs >= fromMs && startMs < toMs;
}

/**
 * The number that `percent` of the values do not exceed, by nearest rank;
 * undefined if there are none.
 */
export function percentile(
  values: readonly number[],
  percent: number,
): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * percent / 100) - 1];
}

/** How many of each there are, the most frequent first. */
export function countBy<T>(
  values: readonly T[],
  keyOf: (value: T) => string,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) {
    counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

/**
 * "3 of 1800 calls lost (2 UNAVAILABLE, 1 DEADLINE_EXCEEDED)", and how many
 * more failed as they were meant to.
 */
export function lossWords(calls: readonly CallRecord[]): string {
  const { failedAsMeant, lost } = outcomesOf(calls);
  const by = [...countBy(calls.filter(isLost), ({ status }) => status)]
    .map(([status, count]) => `${count} ${status}`);
  return `${lost} of ${calls.length} calls lost` +
    (by.length === 0 ? "" : ` (${by.join(", ")})`) +
    (failedAsMeant === 0 ? "" : `, ${failedAsMeant} failed as meant`);
}

/**
 * At most `count` calls of that part of the run are lost. Where some are meant
 * to fail, leave their time out: they are lost in the control, which would
 * break the claim whatever it protects.
 */
export function lostAtMost(count: number, window: Window = {}): Judge {
  return (history) => {
    const calls = callsIn(history, window);
    const lost = calls.filter(isLost).length;
    const words = lossWords(calls);
    if (lost > count) return broken(words);
    if (calls.length < CALLS_MIN) return unknown(`${words}: too few to tell`);
    return held(words);
  };
}

/** `percent` of the answered calls take at most `limitMs`. */
export function latencyAtMost(
  percent: number,
  limitMs: number,
  window: Window = {},
): Judge {
  return (history) => {
    const calls = callsIn(history, window).filter((call) => !isFailed(call));
    const valueMs = percentile(calls.map((call) => call.latencyMs), percent);
    // The rank must have a few calls above it.
    if (valueMs === undefined || calls.length * (100 - percent) < 200) {
      return unknown(`${calls.length} calls are too few for p${percent}`);
    }
    return heldIf(
      valueMs <= limitMs,
      `p${percent} ${valueMs.toFixed(1)} ms of ${calls.length} calls`,
    );
  };
}

/** A server's part of the answered calls is from `min` to `max`, 0 to 1. */
export function shareBetween(
  server: string,
  min: number,
  max: number,
  window: Window = {},
): Judge {
  return (history) => {
    const calls = callsIn(history, window).filter((call) => !isFailed(call));
    if (calls.length < CALLS_MIN) {
      return unknown(`${calls.length} answered calls are too few`);
    }
    const own = calls.filter((call) => call.server === server).length;
    const share = own / calls.length;
    return heldIf(
      share >= min && share <= max,
      `${server} answered ${own} of ${calls.length} calls, ${
        (share * 100).toFixed(1)
      } %`,
    );
  };
}

/** The start of the first event with this label; undefined if there is none. */
export function eventAtMs(
  history: History,
  label: string,
): number | undefined {
  return history.events.find((event) => event.label === label)?.startMs;
}

/**
 * From the event on, Envoy finds exactly `count` servers healthy within
 * `limitMs`. Envoy is asked every 250 ms, so the time is known to that.
 */
export function healthyWithin(
  label: string,
  count: number,
  limitMs: number,
): Judge {
  return (history) => {
    const eventMs = eventAtMs(history, label);
    if (eventMs === undefined) return unknown(`no event "${label}"`);
    const sample = history.samples.find(({ atMs, stats }) =>
      atMs >= eventMs && stats["membership_healthy"] === count
    );
    if (sample === undefined) {
      return history.isInterrupted
        ? unknown(`never ${count} healthy before the interruption`)
        : broken(`never ${count} healthy servers after "${label}"`);
    }
    const tookMs = sample.atMs - eventMs;
    return heldIf(
      tookMs <= limitMs,
      `${count} healthy ${tookMs.toFixed(0)} ms after "${label}"`,
    );
  };
}

/**
 * How much one of Envoy's counters grew in the run.
 *
 * @param name Without "cluster.grpc-server." if it begins so; otherwise whole.
 */
export function statGrowth(history: History, name: string): number {
  const key = [`cluster.grpc-server.${name}`, name]
    .find((one) => one in history.after.stats);
  if (key === undefined) return 0; // Envoy makes some only when they count.
  return (history.after.stats[key] ?? 0) - (history.before.stats[key] ?? 0);
}

/** A counter of Envoy grows by `min` to `max` in the run. */
export function statGrows(
  name: string,
  { min = 0, max = Infinity }: { readonly min?: number; readonly max?: number },
): Judge {
  return (history) => {
    const growth = statGrowth(history, name);
    return heldIf(growth >= min && growth <= max, `${name} grew by ${growth}`);
  };
}

/** The values that events have measured under a name, in their order. */
export function measured(history: History, name: string): readonly number[] {
  return history.measures
    .filter((measure) => measure.name === name)
    .map(({ value }) => value);
}

/**
 * Every value that was measured under a name is from `min` to `max`.
 *
 * @param unit Behind the number in words, for example "ms".
 */
export function measuredBetween(
  name: string,
  { min = -Infinity, max = Infinity, unit = "" }: {
    readonly min?: number;
    readonly max?: number;
    readonly unit?: string;
  },
): Judge {
  return (history) => {
    const values = measured(history, name);
    if (values.length === 0) return unknown(`${name} was not measured`);
    const words = values.map((value) => `${Math.round(value * 100) / 100}`);
    return heldIf(
      values.every((value) => value >= min && value <= max),
      `${name}: ${words.join(", ")}${unit === "" ? "" : ` ${unit}`}`,
    );
  };
}

/** All of some judges: broken if one is, else unknown if one is. */
export function allOf(...judges: readonly Judge[]): Judge {
  return (history) => {
    const judgements = judges.map((judge) => judge(history));
    const verdicts = judgements.map(({ verdict }) => verdict);
    return {
      verdict: verdicts.includes("broken")
        ? "broken"
        : verdicts.includes("unknown")
        ? "unknown"
        : "held",
      measured: judgements.map(({ measured }) => measured).join("; "),
    };
  };
}
