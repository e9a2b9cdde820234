/**
 * Faults that a server can be told to have. What a fault does to a call is
 * decided here, by arithmetic; src/server/faults.ts does it.
 */
import type { Random } from "./random.ts";

/**
 * What can be wrong with a server.
 *
 * - `status`: calls are answered with a status.
 * - `delay`: calls reach their handler later.
 * - `hang`: calls are not answered until the fault is over.
 * - `drop`: a call ends the connection that it came on, with all others on it.
 * - `refuse`: new connections are closed at once; open ones go on.
 * - `health`: nothing but what `isServing` says.
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

/** How long delays are, around `delayMs`. */
export const DELAY_SHAPES = ["fixed", "uniform", "exponential"] as const;

/**
 * The shape of delays: always `delayMs`; evenly from 0 to twice `delayMs`; or
 * exponential with the mean `delayMs`, cut off at ten times that.
 */
export type DelayShape = (typeof DELAY_SHAPES)[number];

/** One fault. A server has at most one of each kind. */
export interface Fault {
  readonly kind: FaultKind;
  /** Milliseconds after which it heals by itself; 1 to 600000. */
  readonly durationMs: number;
  /**
   * The part of calls that have it, 0 to 1 (default 1); of one processor core
   * for `cpu`, at most 0.95.
   */
  readonly share?: number;
  /** Repeats the choice of calls and the delays (default 1). */
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
   * What health checks are answered while it lasts (default true: a faulty
   * server that looks healthy).
   */
  readonly isServing?: boolean;
}

/** A fault with every field, checked. */
export type CheckedFault = Required<Fault>;

/** The code of UNAVAILABLE. */
const CODE_DEFAULT = 14;

/** A busy server must still be able to heal. */
const CPU_SHARE_MAX = 0.95;

/**
 * Fills in what a fault leaves open and checks the rest.
 *
 * @throws {RangeError} Naming the first field that is out of its range.
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

/** A fault that is on, with the numbers that choose its calls. */
export interface ActiveFault {
  readonly fault: CheckedFault;
  readonly random: Random;
}

/** What is to happen to one call: first the delay, then its end, if any. */
export interface CallPlan {
  readonly delayMs: number;
  /** The fault that ends or keeps the call instead of its handler. */
  readonly end: CheckedFault | undefined;
}

/** The kinds that take the place of a call's handler; the first one wins. */
const ENDS: readonly FaultKind[] = ["drop", "hang", "status"];

/**
 * Decides what happens to the next call.
 *
 * @param faults Those that are on; their random numbers move on.
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
