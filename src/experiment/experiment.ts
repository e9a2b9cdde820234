/**
 * An experiment is a value: a question, a set-up, a load, timed events, claims
 * judged over the recorded history, and a control: the same run without the
 * protection, in which claims must break.
 *
 * To add one, write a file in experiments/ that exports a value, and add a row
 * to experiments/catalogue.ts. What it is written with is in authors.ts here,
 * to be imported from there. For example:
 *
 * ```ts
 * export const killOne: Experiment = {
 *   name: "kill-one",
 *   question: "Is a call lost when a server is killed?",
 *   setup: { servers: 3 },
 *   load: { ratePerS: 300, durationMs: 6000 },
 *   events: [{
 *     atMs: 2000,
 *     label: "kill -9 server-2",
 *     do: async ({ stack }) => {
 *       await stack.stop("server-2", "SIGKILL");
 *     },
 *   }],
 *   claims: [{ id: "lost", text: "no call is lost", judge: lostAtMost(0) }],
 *   control: {
 *     about: "no retries",
 *     changes: [noRetries],
 *     breaks: ["lost"],
 *   },
 * };
 * ```
 *
 * Every run must also meet the invariants in invariants.ts: all servers are
 * healthy at the start, Envoy never panics, no program ends unexpectedly, no
 * event fails, the recorder keeps its rate, and the ledgers agree.
 */
import type { CallRecord, History } from "./history.ts";
import type { RunContext } from "./run_context.ts";
import type { Load, NamedChange, Setup } from "./setup.ts";

export type { Load, NamedChange, NamedManifestChange, Setup } from "./setup.ts";

/** An experiment. */
export interface Experiment {
  /** Its name on the command line: lower case, with dashes. */
  readonly name: string;
  /** What it is to find out, as one question. */
  readonly question: string;
  /** Whether it is in the short set: promise and control within 25 s. */
  readonly isShort?: boolean;
  /** Whether it makes sense on Compose too (default false). */
  readonly isForDocker?: boolean;
  /**
   * Whether its set-up makes the very settings that it is about, so that it
   * says nothing of another file (default false).
   */
  readonly isOfOwnSettings?: boolean;
  /** Whether it is for Kubernetes, and for nothing else (default false). */
  readonly isForKubernetes?: boolean;
  readonly setup: Setup;
  readonly load: Load;
  /** In any order; each starts at its own time. */
  readonly events: readonly ExperimentEvent[];
  /**
   * Whether a failed call was meant to fail (default never), so that it does
   * not count as lost. Be as narrow as possible, by time, status, or how the
   * call was refused. The control ignores it: there every failed call is lost.
   */
  readonly isMeantToFail?: (call: CallRecord) => boolean;
  readonly claims: readonly Claim[];
  readonly control: Control;
  /**
   * Other protections, each missing in a run of its own, for the same claims
   * (default none). Short sets leave them out.
   */
  readonly furtherControls?: readonly Control[];
  /** Known shortcomings and their reasons, for the report. */
  readonly limits?: readonly KnownLimit[];
}

/** Something that happens in a run. */
export interface ExperimentEvent {
  /** Milliseconds after the start of the load. */
  readonly atMs: number;
  /** Its name in charts and reports. */
  readonly label: string;
  /** Does it; the run waits for it, and fails if it throws. */
  readonly do: (run: RunContext) => Promise<void>;
}

/** Something that the experiment claims to be true. */
export interface Claim {
  /** Unique within its experiment. */
  readonly id: string;
  /** The claim as a sentence without a full stop. */
  readonly text: string;
  /** Pure: depends on nothing but the history. */
  readonly judge: Judge;
}

/** Judges a claim. */
export type Judge = (history: History) => Judgement;

/** `unknown` when there is too little evidence. */
export type Verdict = "held" | "broken" | "unknown";

/** A verdict and its evidence. */
export interface Judgement {
  readonly verdict: Verdict;
  /** What was measured, for example "3 of 1800 calls lost". */
  readonly measured: string;
}

/**
 * The run in which claims must break. What it does not replace stays the same.
 */
export interface Control {
  /** The protection that is missing, for example "no retries". */
  readonly about: string;
  /** In addition to the set-up's own changes. */
  readonly changes?: readonly NamedChange[];
  /** Replaces parts of the set-up. */
  readonly setup?: Partial<Setup>;
  /** Replaces parts of the load. */
  readonly load?: Partial<Load>;
  /** Replaces the events. */
  readonly events?: readonly ExperimentEvent[];
  /** The ids of the claims that must break; at least one. */
  readonly breaks: readonly string[];
}

/** Something that, as far as is known, cannot be achieved. */
export interface KnownLimit {
  /** What was measured instead. */
  readonly text: string;
  readonly reason: string;
  /** Where to read more: an issue, a source file, a page. */
  readonly reference: string;
}
