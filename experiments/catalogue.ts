/** Every experiment, in the order in which they are listed and run. */
import type { Experiment } from "../src/lab/experiment/experiment.ts";
import { everythingAtOnce } from "./everything_at_once.ts";
import { scaleDown } from "./scale_down.ts";
import { scaleUp } from "./scale_up.ts";
import { termWithSlowCalls } from "./term_with_slow_calls.ts";
import { killOne } from "./kill_one.ts";
import { panicThresholdDrill } from "./panic_threshold.ts";
import { rollingRestart } from "./rolling_restart.ts";
import { workerConcurrency } from "./worker_concurrency.ts";

/** The catalogue. */
export const CATALOGUE: readonly Experiment[] = [
  rollingRestart,
  termWithSlowCalls,
  killOne,
  scaleUp,
  scaleDown,
  everythingAtOnce,
  panicThresholdDrill,
  workerConcurrency,
];
