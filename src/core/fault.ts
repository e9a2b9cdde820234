/**
 * The faults that can be injected into a server. What a fault does to a call is
 * decided here, in pure code; src/server/faults.ts carries it out.
 */
import type { Random } from "./random.ts";

/**
 * The kinds of fault.
 *
 * - `status`: calls are answered with a status.
 * - `delay`: calls reach their handler late.
 * - `hang`: calls are not answered until the fault is over.
 * - `drop`: a call's connection is closed, with every other call on it.
 * - `refuse`: new connections are closed at once; open ones are kept.
 * - `health`: nothing beyond what `isServing` says.
 * - `cpu`: the processor is kept busy.
 */
export const FAULT_KINDS = [
  "status",
  "delay",
  "hang",
  "drop",
  "refuse",
  "health",
  "cpu",
] as const;

/** A kind of fault. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How delays are distributed around `delayMs`. */
export const DELAY_SHAPES = ["fixed", "uniform", "exponential"] as const;

/**
 * The distribution of delays: always `delayMs`; uniform from 0 to twice
 * `delayMs`; or exponential with mean `delayMs`, capped at ten times that.
 */
export type DelayShape = (typeof DELAY_SHAPES)[number];

/** One fault. A server has at most one of each kind. */
export interface Fault {
  readonly kind: FaultKind;
  /** How long it lasts, in milliseconds; 1 to 600000. */
  readonly durationMs: number;
  /**
   * The fraction of calls affected, 0 to 1 (default 1); for `cpu`, of one
   * processor core, at most 0.95.
   */
  readonly share?: number;
  /** Makes the choice of calls and the delays repeatable (default 1). */
  readonly seed?: number;
  /** For `status`: the status code, 1 to 16 (default 14, UNAVAILABLE). */
  readonly code?: number;
  /** For `status`: the headers are sent before it (default false). */
  readonly isAfterHeaders?: boolean;
  /** For `delay`: milliseconds, 0 to 60000 (default 0). */
  readonly delayMs?: number;
  /** For `delay` (default "fixed"). */
  readonly delayShape?: DelayShape;
  /**
   * Whether health checks see SERVING while it lasts (default true: a faulty
   * server that looks healthy).
   */
  readonly isServing?: boolean;
}

/** A fault with every field, checked. */
export type CheckedFault = Required<Fault>;

/** The code of UNAVAILABLE. */
const CODE_DEFAULT = 14;

/** A busy server must still be able to end the fault. */
const CPU_SHARE_MAX = 0.95;

/**
 * Fills in a fault's defaults and checks its fields.
 *
 * @throws {RangeError} Naming the first field out of range.
 */
export function checkFault(fault: Fault): CheckedFault {
  const isCpu = fault.kind === "cpu";
  const checked: CheckedFault = {
    kind: fault.kind,
    durationMs: fault.durationMs,
    share: fault.share ?? (isCpu ? CPU_SHARE_MAX : 1),
    seed: fault.seed ?? 1,
    code: fault.code ?? CODE_DEFAULT,
    isAfterHeaders: fault.isAfterHeaders ?? false,
    delayMs: fault.delayMs ?? 0,
    delayShape: fault.delayShape ?? "fixed",
    isServing: fault.isServing ?? true,
  };
  requireOneOf("kind", checked.kind, FAULT_KINDS);
  requireOneOf("delay shape", checked.delayShape, DELAY_SHAPES);
  requireRange("duration in ms", checked.durationMs, 1, 600_000);
  requireRange("share", checked.share, 0, isCpu ? CPU_SHARE_MAX : 1);
  requireRange("seed", checked.seed, 0, 4_294_967_295);
  requireRange("code", checked.code, 1, 16);
  requireRange("delay in ms", checked.delayMs, 0, 60_000);
  return checked;
}

function requireOneOf(
  what: string,
  value: string,
  known: readonly string[],
): void {
  if (known.includes(value)) return;
  throw new RangeError(
    `Fault has no ${what} "${value}": it must be one of ${known.join(", ")}`,
  );
}

function requireRange(
  what: string,
  value: number,
  min: number,
  max: number,
): void {
  if (value >= min && value <= max) return;
  throw new RangeError(
    `Fault cannot have the ${what} ${value}: it must be from ${min} to ${max}`,
  );
}

/** An active fault, with the random numbers that choose its calls. */
export interface ActiveFault {
  readonly fault: CheckedFault;
  readonly random: Random;
}

/** What happens to one call: first the delay, then its end, if any. */
export interface CallPlan {
  readonly delayMs: number;
  /** The fault that ends or holds the call instead of its handler. */
  readonly end: CheckedFault | undefined;
}

/** The kinds that replace a call's handler; the first one wins. */
const ENDS: readonly FaultKind[] = ["drop", "hang", "status"];

/**
 * Decides what happens to the next call.
 *
 * @param faults The active ones; their random generators advance.
 */
export function planCall(faults: readonly ActiveFault[]): CallPlan {
  const chosen = faults.filter(({ fault, random }) => random() < fault.share);
  const delay = chosen.find(({ fault }) => fault.kind === "delay");
  const ends = ENDS.map((kind) =>
    chosen.find(({ fault }) => fault.kind === kind)
  );
  return {
    delayMs: delay === undefined ? 0 : delayOf(delay),
    end: ends.find((end) => end !== undefined)?.fault,
  };
}

function delayOf({ fault, random }: ActiveFault): number {
  const { delayMs, delayShape } = fault;
  if (delayShape === "fixed") return delayMs;
  if (delayShape === "uniform") return 2 * delayMs * random();
  return Math.min(10 * delayMs, -delayMs * Math.log(1 - random()));
}
