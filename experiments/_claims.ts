/** What experiments share, and how their tests reach a claim's judge. */
import type {
  Claim,
  Experiment,
  ExperimentEvent,
  Judge,
} from "../src/experiment/experiment.ts";
import { lostAtMost } from "../src/experiment/judge.ts";

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
