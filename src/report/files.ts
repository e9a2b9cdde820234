/** Writes the reports of experiments. */
import type { Result } from "../experiment/conduct.ts";
import type { CallRecord, History } from "../experiment/history.ts";
import { writeRun } from "../io/run_folder.ts";
import { reportHtml } from "./html.ts";
import { experimentModel, type ReportInfo } from "./model.ts";

/**
 * Writes the results into a new folder in `dir`, named after the experiment if
 * there is only one: "record.json" with every call,
 * then the page "report.html"; "latest.html" in `dir` points there.
 *
 * @returns The page's path.
 * @throws {Failure} `environment` when they cannot be written.
 */
export async function writeReports(
  dir: string,
  results: readonly Result[],
  info: ReportInfo,
): Promise<string> {
  const model = { info, experiments: results.map(experimentModel) };
  const histories = results.map(({ experiment, promise, controls }) => ({
    name: experiment.name,
    run: recordOf(promise.history),
    controls: controls.map(({ history }) => recordOf(history)),
  }));
  const [first, second] = results;
  const only = second === undefined ? first?.experiment.name : undefined;
  return await writeRun(dir, only ?? "experiments", {
    kind: "experiments",
    record: { ...model, histories },
    page: reportHtml(model),
  });
}

/** A history with its calls in columns, which takes a fifth of the space. */
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
