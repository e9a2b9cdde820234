/** The command `reports`: lists runs and removes old ones. */
import { Failure } from "../core/errors.ts";
import {
  type FlagRows,
  helpText,
  parseFlags,
  wholeNumber,
} from "../core/flags.ts";
import { tableLines } from "../core/table.ts";
import { commandWords } from "../io/build.ts";
import { REPORTS } from "../io/run_folder.ts";
import { keepNewest, type RunFolder, runFolders } from "../io/run_folders.ts";
import { print } from "../io/terminal.ts";
import { readRun } from "./records.ts";

const FLAGS = {
  keep: {
    name: "keep",
    placeholder: "COUNT",
    help: "Remove all but the newest COUNT runs; 0 removes all",
    default: undefined as number | undefined,
    parse: wholeNumber(0, 1_000_000),
  },
} as const satisfies FlagRows;

const ABOUT =
  `Lists the runs in reports/, newest first, with size, verdict and question. Lists and removes
only folders that experiments, load tests and comparisons made, and only if
nothing else is in them.`;

/**
 * Runs the command.
 *
 * @param argv The arguments after "reports".
 * @returns The exit code.
 * @throws {Failure} When the folder cannot be read, or a run cannot be removed.
 */
export async function reports(argv: readonly string[]): Promise<number> {
  const { values, help } = parseFlags(FLAGS, argv);
  if (help) {
    print(helpText("reports [flags]", ABOUT, FLAGS));
    return 0;
  }
  if (values.keep !== undefined) {
    const removed = await keepNewest(REPORTS, values.keep);
    removed.forEach(({ name }) => print(`removed ${REPORTS}/${name}`));
    print(`${removed.length} removed, ${sizeOf(removed)}`);
    return 0;
  }
  const runs = await runFolders(REPORTS);
  // One after the other: a record holds every call and may be large.
  const rows: string[][] = [];
  for (const run of runs) rows.push(await rowOf(run));
  if (rows.length > 0) {
    tableLines(["run", "size", "verdict", "question"], rows).forEach(print);
  }
  print(`${runs.length} runs, ${sizeOf(runs)}`);
  return 0;
}

async function rowOf(run: RunFolder): Promise<string[]> {
  const words = await readRun(`${Deno.cwd()}/${REPORTS}/${run.name}`).then(
    ({ verdict, question }) => [verdict, question],
    (error) => {
      if (!(error instanceof Failure)) throw error;
      return [
        "-",
        `its record cannot be read; \`${commandWords()} experiment report\` says why`,
      ];
    },
  );
  return [run.name, sizeOf([run]), ...words];
}

function sizeOf(runs: readonly RunFolder[]): string {
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
