/** Whether a program's memory grows without end. Pure. */

/** One sample of a program's memory. */
export interface MemorySample {
  /** Seconds since the start of the load. */
  readonly atS: number;
  readonly mib: number;
}

/** Programs grow until they are warm, for at most a third of a soak. */
const WARM_SHARE = 1 / 3;
const WARM_S_MAX = 600;

/**
 * A heap grows in steps of some MiB; over less time a step would look like a
 * slope.
 */
const JUDGED_S_MIN = 300;

const SAMPLES_MIN = 60;

/** The allowed growth of a program. */
export const MIB_PER_MINUTE_MAX = 1;

/** The course of a program's memory. */
export interface Growth {
  readonly verdict: "held" | "broken" | "unknown";
  /** After the warm-up; undefined when there are too few samples. */
  readonly mibPerMinute: number | undefined;
  readonly mibMax: number;
}

/**
 * The slope of a line through samples, in MiB per minute: the median slope
 * between any two of them (Theil–Sen), which is robust to peaks.
 */
export function slope(samples: readonly MemorySample[]): number | undefined {
  const slopes = samples.flatMap((one, at) =>
    samples.slice(at + 1)
      .filter(({ atS }) => atS > one.atS)
      .map(({ atS, mib }) => (mib - one.mib) * 60 / (atS - one.atS))
  ).sort((a, b) => a - b);
  const { length } = slopes;
  const [low, high] = [slopes[(length - 1) >> 1], slopes[length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** Judges a program's samples, in chronological order. */
export function growth(samples: readonly MemorySample[]): Growth {
  const mibMax = Math.max(0, ...samples.map(({ mib }) => mib));
  const endS = samples.at(-1)?.atS ?? 0;
  const fromS = Math.min(endS * WARM_SHARE, WARM_S_MAX);
  const judged = samples.filter(({ atS }) => atS >= fromS);
  const mibPerMinute = slope(judged);
  if (
    mibPerMinute === undefined || judged.length < SAMPLES_MIN ||
    endS - fromS < JUDGED_S_MIN
  ) return { verdict: "unknown", mibPerMinute: undefined, mibMax };
  const isFlat = mibPerMinute < MIB_PER_MINUTE_MAX;
  return { verdict: isFlat ? "held" : "broken", mibPerMinute, mibMax };
}
