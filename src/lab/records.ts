/** What records of each kind say, and how they are drawn again. */
import { Failure, messageOf } from "../core/errors.ts";
import { htmlOf } from "../core/load/html.ts";
import { textOf } from "../core/load/table.ts";
import {
  printable,
  printableDetails,
  printableName,
} from "../core/printable.ts";
import type { Verdict } from "../experiment/experiment.ts";
import { RUN_FILES } from "../io/run_folder.ts";
import { readRecord, type RunRecord } from "../io/run_folders.ts";
import { type LoadRecord, recordLines } from "../load/report.ts";
import {
  type Compared,
  comparisonHtml,
  comparisonLines,
} from "../report/comparison.ts";
import { reportHtml } from "../report/html.ts";
import type { ReportModel } from "../report/model.ts";
import { summaryLines } from "../report/terminal.ts";

/** A record of any kind. */
export type AnyRecord =
  | { readonly kind: "experiments" } & ReportModel
  | { readonly kind: "load" } & LoadRecord
  | { readonly kind: "comparison" } & Compared;

/** What a record says. */
interface Reading {
  /** "-" if it has none. */
  readonly verdict: string;
  readonly question: string;
  /** Lines for a terminal. */
  readonly lines: () => readonly string[];
  readonly page: () => string;
}

/**
 * Reads the record of a run, and what it is about. It may be a stranger's, so
 * its words are made fit to be printed.
 *
 * @param folder As a user has typed it.
 * @throws {Failure} `environment` when there is none that can be read.
 */
export async function readRun(folder: string): Promise<{
  readonly record: AnyRecord;
  readonly verdict: string;
  readonly question: string;
}> {
  const record = await readRecord(folder) as unknown as AnyRecord;
  return unlessDamaged(folder, () => {
    const { verdict, question } = readingOf(record);
    return {
      record,
      verdict: printableName(verdict),
      question: printableDetails(question),
    };
  });
}

/**
 * What a record has to show, in lines for a terminal and as a page.
 *
 * @param folder Where it is.
 * @throws {Failure} `environment` when something is missing in it.
 */
export function draw(
  record: AnyRecord,
  folder: string,
): { readonly lines: readonly string[]; readonly page: string } {
  return unlessDamaged(folder, () => {
    const { lines, page } = readingOf(record);
    return {
      lines: lines().map((line) => printable(line, Infinity)),
      page: page(),
    };
  });
}

/** A record may have been edited, so that anything can be missing in it. */
function unlessDamaged<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Failure(
      "environment",
      `"${folder}/${RUN_FILES.record}" lacks something that its kind has (${
        printableDetails(messageOf(error))
      }); it is damaged, so make the run again`,
      { cause: error },
    );
  }
}

function readingOf(record: AnyRecord): Reading {
  switch (record.kind) {
    case "experiments": {
      const { experiments } = record;
      const [first] = experiments;
      return {
        verdict: worstOf(experiments.map(({ verdict }) => verdict)),
        question: experiments.length === 1 && first !== undefined
          ? `${first.name}: ${first.question}`
          : `${experiments.length} experiments`,
        lines: () => summaryLines(experiments),
        page: () => reportHtml(record),
      };
    }
    case "load":
      return {
        verdict: record.verdict,
        question: record.report.question,
        lines: () => textOf(record.report, recordLines(record)),
        page: () => loadHtml(record),
      };
    case "comparison":
      return {
        verdict: "-",
        question: `${record.names.join(" and ")} side by side`,
        lines: () => comparisonLines(record),
        page: () => comparisonHtml(record),
      };
    default:
      throw new RangeError(`there is no kind "${(record as RunRecord).kind}"`);
  }
}

/** The page of a load run. */
export function loadHtml(record: LoadRecord): string {
  return htmlOf(record.report, {
    lines: recordLines(record),
    dashboard: record.hasDashboard ? RUN_FILES.dashboard : undefined,
  });
}

function worstOf(verdicts: readonly Verdict[]): Verdict {
  return (["broken", "unknown"] as const)
    .find((one) => verdicts.includes(one)) ?? "held";
}
