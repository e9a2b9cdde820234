/** Clears away what earlier runs of `up` have left behind. */
import { Failure } from "../core/errors.ts";
import { say } from "./output.ts";
import { endLeftovers, findRuns, type Run } from "./run_file.ts";

/** Options of makeWay(). */
export interface MakeWayOptions {
  /** Whether leftovers are killed without a question. */
  readonly isReplacing: boolean;
  /** Asks a yes-or-no question; undefined when nobody can answer. */
  readonly ask: (question: string) => Promise<boolean | undefined>;
  /** The folder of run files (default: the project's). */
  readonly folder?: string;
}

/**
 * Makes sure that no leftover of an earlier run holds one of the ports. Never
 * touches a run whose `up` is alive.
 *
 * @throws {Failure} `environment`, naming the run that holds them.
 */
export async function makeWay(
  ports: readonly number[],
  options: MakeWayOptions,
): Promise<void> {
  for (const run of await findRuns(options.folder)) {
    const taken = run.ports.filter((port) => ports.includes(port));
    if (taken.length === 0) continue;
    if (run.isRunning) {
      throw new Failure(
        "environment",
        `Another \`up\` runs on ${portWords(taken)} ` +
          `(process ${run.up.pid}, since ${
            timeOf(run)
          }); stop it with Ctrl-C ` +
          `or \`kill ${run.up.pid}\`, or choose other ports with --port, ` +
          "--admin-port and --server-port",
      );
    }
    const what = `${leftWords(run)}, and may hold ${portWords(taken)}`;
    const pronoun = run.living.length === 1 ? "it" : "them";
    const isAgreed = options.isReplacing ||
      await options.ask(`${what}. End ${pronoun}?`);
    if (!isAgreed) {
      throw new Failure(
        "environment",
        `${what}; end ${pronoun} with --replace`,
      );
    }
    await endLeftovers(run);
    say("up", `ended ${processWords(run)} of the \`up\` of ${timeOf(run)}`);
  }
}

/** "Processes 12, 13 are left of the `up` of ..., which was killed". */
function leftWords(run: Run): string {
  const words = processWords(run);
  const verb = run.living.length === 1 ? "is" : "are";
  return `${words[0]?.toUpperCase()}${words.slice(1)} ${verb} left of the ` +
    `\`up\` of ${timeOf(run)}, which was killed`;
}

/** "process 12", "processes 12, 13". */
export function processWords({ living }: Run): string {
  const pids = living.map(({ pid }) => pid).join(", ");
  return living.length === 1 ? `process ${pids}` : `processes ${pids}`;
}

/** When a run was started, in readable form. */
export function timeOf({ startedAt }: Run): string {
  return `${startedAt.slice(0, 19).replace("T", " ")} UTC`;
}

function portWords(ports: readonly number[]): string {
  return `${ports.length === 1 ? "port" : "ports"} ${ports.join(", ")}`;
}
