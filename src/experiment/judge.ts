/** The judges that claims are made of. All are pure. */
import type { Judge, Judgement } from "./experiment.ts";
import type { CallRecord, History } from "./history.ts";

/** Fewer calls than this prove nothing. */
const CALLS_MIN = 50;

/** The claim is true. */
export function held(measured: string): Judgement {
  return { verdict: "held", measured };
}

/** The claim is false. */
export function broken(measured: string): Judgement {
  return { verdict: "broken", measured };
}

/** There is too little evidence. */
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

/** The calls due within a part of the run. */
export function callsIn(
  history: History,
  { fromMs = 0, toMs = Infinity }: Window = {},
): readonly CallRecord[] {
  return history.calls.filter(({ startMs }) =>
    startMs >= fromMs && startMs < toMs
  );
}

/** Whether a call failed, as meant or not. */
export function isFailed({ status }: CallRecord): boolean {
  return status !== "OK";
}

/** Whether a call failed without being meant to. */
export function isLost(call: CallRecord): boolean {
  return isFailed(call) && call.failedAsMeant !== true;
}

/** How some calls ended; all others succeeded. */
export interface Outcomes {
  readonly calls: number;
  readonly failedAsMeant: number;
  readonly lost: number;
}

/** Counts how some calls ended. */
export function outcomesOf(calls: readonly CallRecord[]): Outcomes {
  const failed = calls.filter(isFailed).length;
  const lost = calls.filter(isLost).length;
  return { calls: calls.length, failedAsMeant: failed - lost, lost };
}

/** Matches calls due within a part of the run that end as UNAVAILABLE. */
export function unavailableIn(
  { fromMs = 0, toMs = Infinity }: Window = {},
): (call: CallRecord) => boolean {
  return ({ status, startMs }) =>
    status === "UNAVAILABLE" && startMs >= fromMs && startMs < toMs;
}

/**
 * The value that `percent` of the values do not exceed, by nearest rank;
 * undefined without values.
 */
export function percentile(
  values: readonly number[],
  percent: number,
): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * percent / 100) - 1];
}

/** Counts values by key, the most frequent first. */
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
 * more failed as meant.
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
 * At most `count` calls in that part of the run are lost. Leave out the time in
 * which calls are meant to fail: in the control they count as lost, which would
 * break the claim for the wrong reason.
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
    // There must be a few calls above the rank.
    if (valueMs === undefined || calls.length * (100 - percent) < 200) {
      return unknown(`${calls.length} calls are too few for p${percent}`);
    }
    return heldIf(
      valueMs <= limitMs,
      `p${percent} ${valueMs.toFixed(1)} ms of ${calls.length} calls`,
    );
  };
}

/** A server's share of the answered calls is from `min` to `max`, 0 to 1. */
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
 * Within `limitMs` of the event, Envoy considers exactly `count` servers
 * healthy. Envoy is sampled every 250 ms, which limits the precision.
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
 * How much an Envoy counter grew in the run.
 *
 * @param name The counter's name; "cluster.grpc-server." may be omitted.
 */
export function statGrowth(history: History, name: string): number {
  const key = [`cluster.grpc-server.${name}`, name]
    .find((one) => one in history.after.stats);
  if (key === undefined) return 0; // Envoy creates some counters lazily.
  return (history.after.stats[key] ?? 0) - (history.before.stats[key] ?? 0);
}

/** An Envoy counter grows by `min` to `max` in the run. */
export function statGrows(
  name: string,
  { min = 0, max = Infinity }: { readonly min?: number; readonly max?: number },
): Judge {
  return (history) => {
    const growth = statGrowth(history, name);
    return heldIf(growth >= min && growth <= max, `${name} grew by ${growth}`);
  };
}

/** The values that events measured under a name, in order. */
export function measured(history: History, name: string): readonly number[] {
  return history.measures
    .filter((measure) => measure.name === name)
    .map(({ value }) => value);
}

/**
 * Every value measured under a name is from `min` to `max`.
 *
 * @param unit Printed after the values, for example "ms".
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

/** Combines judges: broken if one is, else unknown if one is. */
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
