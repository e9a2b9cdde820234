/** What experiments share, and how their tests reach a claim's judge. */
import {
  type Claim,
  type Experiment,
  type ExperimentEvent,
  type History,
  type Judge,
  lostAtMost,
  measuredBetween,
  memoryGrowsAtMost,
  type Snapshot,
  statGrows,
} from "../src/experiment/authors.ts";

/** How many servers Envoy knew in each sample of a time. */
export function knownServers(
  { samples }: History,
  isIn: (atMs: number) => boolean,
): readonly number[] {
  return samples.filter(({ atMs }) => isIn(atMs))
    .map(({ stats }) => stats["membership_total"] ?? 0);
}

export const noCallIsLost: Claim = {
  id: "lost",
  text: "no call is lost",
  judge: lostAtMost(0),
};

/**
 * The same for runs whose events make calls too, which have their own claims.
 */
export const noOtherCallIsLost: Claim = {
  ...noCallIsLost,
  text: "no other call is lost",
};

export const noPanic: Claim = {
  id: "panic",
  text: "Envoy does not panic",
  judge: statGrows("lb_healthy_panic", { max: 0 }),
};

/** Of the servers whose "exit code" was measured. */
export const exitsWithZero: Claim = {
  id: "exit",
  text: "every server that is asked to stop ends with exit code 0",
  judge: measuredBetween("exit code", { min: 0, max: 0 }),
};

/** From the first time that memory was measured. */
export function envoyGrowsAtMost(mibMax: number): Claim {
  return {
    id: "memory",
    text: `Envoy grows by at most ${mibMax} MiB`,
    judge: memoryGrowsAtMost(["envoy"], mibMax),
  };
}

/** Sums up a counter over all servers and methods. */
export function countOf(
  { counters }: Snapshot,
  counter: "started" | "cancelled",
): number {
  return Object.values(counters)
    .flatMap(({ methods }) => methods)
    .reduce((sum, counts) => sum + counts[counter], 0);
}

/** One server dies abruptly, with calls in flight on it. */
export const killServer2: ExperimentEvent = {
  atMs: 1500,
  label: "kill -9 server-2",
  do: async ({ stack }) => {
    await stack.stop("server-2", "SIGKILL");
  },
};

/**
 * Finds the judge of a claim.
 *
 * @throws {RangeError} When there is no claim of this id.
 */
export function judgeOf({ name, claims }: Experiment, id: string): Judge {
  const found = claims.find((claim) => claim.id === id);
  if (found === undefined) {
    throw new RangeError(`Cannot find claim "${id}" in "${name}"`);
  }
  return found.judge;
}
