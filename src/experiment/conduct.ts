/** Runs an experiment and its controls, and judges all. */
import { invariants } from "./invariants.ts";
import type {
  Claim,
  Control,
  Experiment,
  Judgement,
  NamedChange,
  Verdict,
} from "./experiment.ts";
import { busyWords } from "../io/disturbance.ts";
import { type History, Unmeasured } from "./history.ts";
import { unknown } from "./judge.ts";
import { changesAnything } from "./changes.ts";
import { Failure } from "../core/errors.ts";
import { type Base, type Plan, type RunOptions, runPlan } from "./run.ts";

/** A claim and its judgement. */
export interface Finding extends Judgement {
  readonly id: string;
  readonly text: string;
}

/** A judged run. */
export interface JudgedRun {
  readonly history: History;
  /** The experiment's own claims. */
  readonly findings: readonly Finding[];
  /** The claims about every run. */
  readonly invariants: readonly Finding[];
}

/** A judged experiment. */
export interface Result {
  readonly experiment: Experiment;
  readonly promise: JudgedRun;
  /**
   * In the order of `controlsOf()`; fewer if it was interrupted, none if it is
   * about somebody's own file.
   */
  readonly controls: readonly JudgedRun[];
  /** The file in place of envoy.yaml; undefined if there was none. */
  readonly file?: string | undefined;
  readonly verdict: Verdict;
  /** Why the verdict is not `held`; one sentence each. */
  readonly reasons: readonly string[];
}

/** All controls of an experiment. */
export function controlsOf(
  { control, furtherControls = [] }: Experiment,
): readonly Control[] {
  return [control, ...furtherControls];
}

/** The plan of a control. */
export function controlPlan(
  { setup, load, events }: Experiment,
  control: Control,
): Plan {
  const changes: readonly NamedChange[] = [
    ...(control.setup?.changes ?? setup.changes ?? []),
    ...(control.changes ?? []),
  ];
  return {
    setup: { ...setup, ...control.setup, changes },
    load: { ...load, ...control.load },
    events: control.events ?? events,
  };
}

/** Judges claims over a history. */
export function findingsOf(
  claims: readonly Claim[],
  history: History,
): readonly Finding[] {
  return claims.map(({ id, text, judge }) => {
    try {
      return { id, text, ...withoutBlame(judge(history), history) };
    } catch (error) {
      if (!(error instanceof Unmeasured)) throw error;
      return { id, text, ...unknown(error.message) };
    }
  });
}

/** The judgement, with `broken` turned into `unknown` on a busy machine. */
function withoutBlame(
  judgement: Judgement,
  { disturbance }: Pick<History, "disturbance">,
): Judgement {
  const words = busyWords(disturbance);
  if (words === undefined || judgement.verdict !== "broken") return judgement;
  return unknown(`${judgement.measured}; the machine was busy (${words})`);
}

function judged(
  experiment: Experiment,
  history: History,
  isControl: boolean,
): JudgedRun {
  return {
    history,
    findings: findingsOf(experiment.claims, history),
    invariants: findingsOf(invariants(history.setup, isControl), history),
  };
}

/**
 * Sums up the findings of both runs; pure.
 *
 * @param expected The controls that there should be (default all).
 */
export function conclude(
  experiment: Experiment,
  promise: JudgedRun,
  controls: readonly JudgedRun[],
  expected: readonly Control[] = controlsOf(experiment),
): Pick<Result, "verdict" | "reasons"> {
  const broken: string[] = [];
  const unclear: string[] = [];
  const add = (run: string, { verdict, text, measured }: Finding) => {
    const sentence = `${run}${text}: ${measured}`;
    if (verdict === "broken") broken.push(sentence);
    if (verdict === "unknown") unclear.push(sentence);
  };
  [...promise.invariants, ...promise.findings].forEach((one) => add("", one));
  if (promise.history.isInterrupted) unclear.push("the run was interrupted");
  expected.forEach(({ about, breaks }, at) => {
    const run = controls[at];
    if (run === undefined) {
      unclear.push(`the control (${about}) was not run`);
      return;
    }
    run.invariants.forEach((one) => add(`in the control (${about}), `, one));
    for (const id of breaks) {
      const found = run.findings.find((finding) => finding.id === id);
      if (found?.verdict === "broken") continue;
      const words = found === undefined
        ? `there is no claim "${id}" for the control to break`
        : `the control (${about}) did not break "${found.text}": ${found.measured}`;
      const { isInterrupted, disturbance } = run.history;
      const busy = busyWords(disturbance);
      if (busy !== undefined) {
        unclear.push(`${words}; the machine was busy (${busy})`);
      } else if (isInterrupted) {
        unclear.push(words);
      } else broken.push(words);
    }
  });
  return {
    verdict: broken.length > 0
      ? "broken"
      : unclear.length > 0
      ? "unknown"
      : "held",
    reasons: [...broken, ...unclear],
  };
}

/**
 * Runs an experiment and its controls, one after the other. With a `base` there
 * is no control: it would change what envoy.yaml has, and shows that the
 * experiment can fail, which does not depend on the file.
 *
 * @param onRun Called when a run begins; the promise has no control.
 * @throws {Failure} When a stack cannot be started, or the experiment says
 * nothing of another file.
 */
export async function conduct(
  experiment: Experiment,
  options: RunOptions & {
    readonly onRun: (control?: Control) => void;
  },
): Promise<Result> {
  options.onRun();
  const plan = planOn(experiment, options.base);
  const promise = judged(experiment, await runPlan(plan, options), false);
  const expected = options.base === undefined ? controlsOf(experiment) : [];
  const controls: JudgedRun[] = [];
  for (const control of expected) {
    if (options.signal.aborted) break;
    options.onRun(control);
    const history = await controlHistory(experiment, control, options);
    if (history === undefined) break;
    controls.push(judged(experiment, history, true));
  }
  return {
    experiment,
    promise,
    controls,
    file: options.base?.name,
    ...conclude(experiment, promise, controls, expected),
  };
}

/**
 * The plan of a run with somebody's own file.
 *
 * @throws {Failure} `environment` when it would say nothing of the file.
 */
function planOn(experiment: Experiment, base: Base | undefined): Plan {
  const { name, setup, isOfOwnSettings = false } = experiment;
  if (base === undefined) return experiment;
  const { changes = [], tls } = setup;
  if (isOfOwnSettings || tls !== undefined) {
    const made = changes.map(({ name }) => name);
    if (tls !== undefined) made.push("TLS");
    throw new Failure(
      "environment",
      `${name} says nothing of ${base.name}, as it makes the settings that it ` +
        `is about itself: ${made.join(", ")}; run it without --config`,
    );
  }
  const isNeeded = (change: NamedChange) =>
    !change.isRemoval || changesAnything(change, base.config);
  return {
    ...experiment,
    setup: { ...setup, changes: changes.filter(isNeeded) },
  };
}

/** A control's history; undefined if it was interrupted while it started. */
async function controlHistory(
  experiment: Experiment,
  control: Control,
  options: RunOptions,
): Promise<History | undefined> {
  try {
    return await runPlan(controlPlan(experiment, control), options);
  } catch (error) {
    // The results of earlier runs must still be reported.
    if (options.signal.aborted) return undefined;
    throw error;
  }
}
