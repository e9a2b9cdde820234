/** Every experiment, in the order in which they are listed and run. */
import type { Experiment } from "../src/lab/experiment/experiment.ts";
import { killOne } from "./kill_one.ts";
import { panicThresholdDrill } from "./panic_threshold.ts";
import { rollingRestart } from "./rolling_restart.ts";

/** The catalogue. */
export const CATALOGUE: readonly Experiment[] = [
  rollingRestart,
  killOne,
  panicThresholdDrill,
];
