/** The commands `experiment report DIR` and `experiment compare A B`. */
import { basename } from "node:path";
import { Failure } from "../core/errors.ts";
import { helpText, parseFlags } from "../core/flags.ts";
import { printable } from "../core/printable.ts";
import { commandWords } from "../io/build.ts";
import { typedPath } from "../io/files.ts";
import { REPORTS, rewritePage, writeRun } from "../io/run_folder.ts";
import { print } from "../io/terminal.ts";
import { type Compared, hasPairs } from "../report/comparison.ts";
import type { ReportModel } from "../report/model.ts";
import { draw, readRun } from "./records.ts";

const REPORT_ABOUT =
  `Redraws the page of a run from its record. DIR is the run's folder in reports/;
it may hold experiments, a load test or a comparison.`;

const COMPARE_ABOUT =
  `Compares two runs of experiments side by side: here, and on a page in a new folder of
reports/. A and B are their folders there.`;

/**
 * Redraws a page.
 *
 * @param argv The arguments after "report".
 * @returns The exit code.
 * @throws {Failure} When there is no record, or the page cannot be written.
 */
export async function report(argv: readonly string[]): Promise<number> {
  const { positionals, help } = parseFlags({}, argv, { positionalsMax: 1 });
  if (help) {
    print(helpText("experiment report DIR", REPORT_ABOUT, {}));
    return 0;
  }
  const [folder] = positionals;
  if (folder === undefined) {
    throw new Failure(
      "usage",
      `report needs the folder of a run; ${commandWords()} reports lists them`,
    );
  }
  const { record } = await readRun(folder);
  const { lines, page } = draw(record, folder);
  lines.forEach(print);
  print(`report: ${await rewritePage(typedPath(folder), page)}`);
  return 0;
}

/**
 * Compares two runs.
 *
 * @param argv The arguments after "compare".
 * @returns The exit code.
 * @throws {Failure} When a record is missing, or there is nothing to compare.
 */
export async function compare(argv: readonly string[]): Promise<number> {
  const { positionals, help } = parseFlags({}, argv, { positionalsMax: 2 });
  if (help) {
    print(helpText("experiment compare A B", COMPARE_ABOUT, {}));
    return 0;
  }
  const [a, b] = positionals;
  if (a === undefined || b === undefined) {
    throw new Failure(
      "usage",
      `compare needs the folders of two runs; ${commandWords()} reports lists them`,
    );
  }
  const compared: Compared = {
    names: [nameOf(a), nameOf(b)],
    models: [await experimentsOf(a), await experimentsOf(b)],
  };
  if (!hasPairs(compared)) {
    throw new Failure(
      "environment",
      `"${a}" and "${b}" have no experiment in common; compare runs that do`,
    );
  }
  const kind = "comparison";
  const { lines, page } = draw({ kind, ...compared }, `${a}, ${b}`);
  lines.forEach(print);
  const path = await writeRun(REPORTS, kind, { kind, record: compared, page });
  print(`report: ${path}`);
  return 0;
}

function nameOf(folder: string): string {
  return printable(basename(typedPath(folder)), 255);
}

/** @throws {Failure} `environment` when it is not a record of experiments. */
async function experimentsOf(folder: string): Promise<ReportModel> {
  const { record } = await readRun(folder);
  if (record.kind !== "experiments") {
    throw new Failure(
      "environment",
      `"${folder}" is a run of the kind "${record.kind}", and only runs of ` +
        `experiments can be compared; \`${commandWords()} experiment report\` ` +
        "draws it",
    );
  }
  const { info, experiments } = record;
  return { info, experiments };
}
