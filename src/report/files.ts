/** Writes the reports of experiments. */
import { Failure, messageOf } from "../core/errors.ts";
import type { Result } from "../experiment/conduct.ts";
import type { CallRecord, History } from "../experiment/history.ts";
import { reportHtml } from "./html.ts";
import { type ReportInfo, reportModel } from "./model.ts";

/**
 * Writes the results into a folder, which is made if it is not there: the page
 * "experiments.html", and "experiments.json" with every call.
 *
 * @returns The files' paths.
 * @throws {Failure} `environment` when they cannot be written.
 */
export async function writeReports(
  dir: string,
  results: readonly Result[],
  info: ReportInfo,
): Promise<readonly string[]> {
  const model = reportModel(info, results);
  const histories = results.map(({ experiment, promise, control }) => ({
    name: experiment.name,
    run: recordOf(promise.history),
    control: control === undefined ? null : recordOf(control.history),
  }));
  const files: readonly (readonly [string, string])[] = [
    [`${dir}/experiments.html`, reportHtml(model)],
    [`${dir}/experiments.json`, JSON.stringify({ ...model, histories })],
  ];
  try {
    await Deno.mkdir(dir, { recursive: true });
    for (const [path, text] of files) await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write reports to "${dir}": ${
        messageOf(error)
      }; choose another folder with --out`,
      { cause: error },
    );
  }
  return files.map(([path]) => path);
}

/** A history with its calls as columns, which takes a fifth of the space. */
function recordOf(history: History): Record<string, unknown> {
  const { calls, ...rest } = history;
  const [first] = calls;
  const columns = Object.keys(first ?? {}) as (keyof CallRecord)[];
  return {
    ...rest,
    calls: Object.fromEntries(
      columns.map((name) => [
        name,
        calls.map((call) => {
          const value = call[name];
          return typeof value === "number"
            ? Math.round(value * 1000) / 1000
            : value;
        }),
      ]),
    ),
  };
}
