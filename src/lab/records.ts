/** Reads and redraws records of each kind. */
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

/** The content of a record. */
interface Reading {
  /** "-" if it has none. */
  readonly verdict: string;
  readonly question: string;
  /** Lines for a terminal. */
  readonly lines: () => readonly string[];
  readonly page: () => string;
}

/**
 * Reads the record of a run. It may come from a stranger, so its texts are made
 * safe to print.
 *
 * @param folder As typed by the user.
 * @throws {Failure} `environment` when there is no readable record.
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
 * Renders a record as lines for a terminal and as a page.
 *
 * @param folder Where it is.
 * @throws {Failure} `environment` when it is incomplete.
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

/** A record may have been edited, so anything may be missing. */
function unlessDamaged<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Failure(
      "environment",
      `"${folder}/${RUN_FILES.record}" lacks a part that its kind must have (${
        printableDetails(messageOf(error))
      }); it is damaged, so repeat the run`,
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
    facts: record.facts,
    dashboard: record.hasDashboard ? RUN_FILES.dashboard : undefined,
  });
}

function worstOf(verdicts: readonly Verdict[]): Verdict {
  return (["broken", "unknown"] as const)
    .find((one) => verdicts.includes(one)) ?? "held";
}
