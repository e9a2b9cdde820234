/** Reaching an experiment's judges from its test. */
import type { Experiment, Judge } from "../src/experiment/experiment.ts";

/**
 * The judge of a claim.
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
