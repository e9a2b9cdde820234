/**
 * An experiment is a value: a question, a set-up, a load, events in time,
 * claims that are judged over the recorded history, and a control: the same
 * run with the protecting knob off, in which claims must break.
 *
 * How to write one: a file in experiments/ that exports a value, and a row in
 * experiments/catalogue.ts. For example:
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
 * Every run is judged for more than its claims, see invariants.ts: all servers
 * are healthy at the start, Envoy never panics, no program ends by itself, no
 * event fails, the recorder keeps its pace, and the ledgers agree.
 */
import type { ConfigChange } from "../stack/envoy_config.ts";
import type { CallRecord, History } from "./history.ts";
import type { RunContext } from "./run_context.ts";

/** An experiment. */
export interface Experiment {
  /** Its name on the command line: lower case, with dashes. */
  readonly name: string;
  /** What one wants to know, as one question. */
  readonly question: string;
  /** Whether it is in the short set: promise and control within 25 s. */
  readonly isShort?: boolean;
  /** Whether it makes sense on Compose too (default false). */
  readonly isForDocker?: boolean;
  readonly setup: Setup;
  readonly load: Load;
  /** What happens, in any order; each starts at its own time. */
  readonly events: readonly ExperimentEvent[];
  /**
   * Tells which of the calls that failed were meant to (default none), so that
   * they are not counted as lost: what is not told here breaks a promise. Tell
   * as little as possible, by time, status, or how the call was refused. The
   * control does not ask: all that fails there is lost.
   */
  readonly isMeantToFail?: (call: CallRecord) => boolean;
  readonly claims: readonly Claim[];
  readonly control: Control;
  /** What is known not to be better, and why; the report shows it. */
  readonly limits?: readonly KnownLimit[];
}

/** A change of Envoy's configuration that has a name. */
export interface NamedChange {
  /** For example "no retries". */
  readonly name: string;
  readonly apply: ConfigChange;
}

/** What is started. */
export interface Setup {
  readonly servers: number;
  /** Changes of envoy.yaml, in this order (default none). */
  readonly changes?: readonly NamedChange[];
  /** Further flags of every server (default none). */
  readonly serverFlags?: readonly string[];
  /**
   * The source of a program that is started in every server's place, from the
   * project's folder (default: the server itself). On Compose it is bundled,
   * runs in the image of the runtime, and may have 1 GiB.
   */
  readonly serverProgram?: string;
  /** Envoy's worker threads (default 1). */
  readonly concurrency?: number;
  /**
   * How many servers Envoy must find healthy before the load starts (default
   * all). With less than all, health at the start is not asserted.
   */
  readonly healthyAtStart?: number;
  /** Whether Envoy may panic (default false). */
  readonly mayPanic?: boolean;
}

/** The recorder's load: SayHello at an even pace, in an open loop. */
export interface Load {
  /** Calls a second, over all connections; 0 makes none. */
  readonly ratePerS: number;
  readonly durationMs: number;
  /** How long a server works on each call (default 0). */
  readonly workMs?: number;
  /** Deadline of each call (default 2000). */
  readonly deadlineMs?: number;
  /** Connections, used in turn (default 4). */
  readonly connections?: number;
  /** Which listener is called (default "l7"). */
  readonly listener?: "l7" | "l4";
}

/** Something that happens in a run. */
export interface ExperimentEvent {
  /** Milliseconds after the start of the load. */
  readonly atMs: number;
  /** What the charts and the report call it. */
  readonly label: string;
  /** Does it; the run ends only after it, and fails when it throws. */
  readonly do: (run: RunContext) => Promise<void>;
}

/** Something that the experiment says is so. */
export interface Claim {
  /** Names it within its experiment. */
  readonly id: string;
  /** The claim as a sentence without its full stop. */
  readonly text: string;
  /** Pure: looks at nothing but the history. */
  readonly judge: Judge;
}

/** Decides about a claim. */
export type Judge = (history: History) => Judgement;

/** What a judge decides; `unknown` when there is too little to decide. */
export type Verdict = "held" | "broken" | "unknown";

/** A verdict and what it rests on. */
export interface Judgement {
  readonly verdict: Verdict;
  /** What was measured, for example "3 of 1800 calls lost". */
  readonly measured: string;
}

/** The run in which claims must break. What it leaves out is as before. */
export interface Control {
  /** What protects no longer, for example "no retries". */
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

/** Something that cannot be reached, as far as is known. */
export interface KnownLimit {
  /** What was measured instead. */
  readonly text: string;
  readonly reason: string;
  /** Where more is said: an issue, a source file, a page. */
  readonly reference: string;
}
