/** Writes the reports of experiments. */
import { Failure, messageOf } from "../../core/errors.ts";
import type { Result } from "../experiment/conduct.ts";

/** What the reports say about the invocation. */
export interface ReportInfo {
  readonly seed: number;
  /** Which kind of stack: "native". */
  readonly stack: string;
  /** The experiments that were asked for. */
  readonly names: readonly string[];
}

/**
 * Writes JSON and HTML into a folder, which is made if it is not there.
 *
 * @returns The files' paths.
 * @throws {Failure} `environment` when they cannot be written.
 */
export async function writeReports(
  dir: string,
  results: readonly Result[],
  info: ReportInfo,
): Promise<readonly string[]> {
  const path = `${dir}/experiments.json`;
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(path, JSON.stringify({ info, results }));
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write the report "${path}": ${
        messageOf(error)
      }; choose another folder with --out`,
      { cause: error },
    );
  }
  return [path];
}
