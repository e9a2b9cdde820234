/** Runs a load test and records it. */
import { type ShapeName, SHAPES } from "../core/load/shapes.ts";
import { verdictOf } from "../core/load/verdict.ts";
import { isThere } from "../io/tools/path.ts";
import { RUN_FILES } from "../io/run_folder.ts";
import { printError } from "../io/terminal.ts";
import type { Stack } from "../stack/stack.ts";
import { runK6 } from "./k6.ts";
import { startReference } from "./reference.ts";
import {
  ledgersOf,
  type LoadRecord,
  readCounted,
  readReport,
} from "./report.ts";

/** How to run a load test. */
export interface LoadRunOptions {
  readonly k6Path: string;
  /** The settings that differ from the environment's. */
  readonly env: Readonly<Record<string, string>>;
  /** The stack that was started for this run, if any. */
  readonly stack: Stack | undefined;
  /** Whether the stack counts k6's calls. */
  readonly isReconciled: boolean;
  readonly signal: AbortSignal;
}

/**
 * Runs k6 and records it; if k6 was stopped in set-up, there is no record, and
 * the reason is printed.
 *
 * @param folder Where k6 writes its page, relative to the working directory.
 */
export async function recordRun(
  shape: ShapeName,
  folder: string,
  { k6Path, env, stack, isReconciled, signal }: LoadRunOptions,
): Promise<{
  readonly code: number;
  readonly record: LoadRecord | undefined;
}> {
  const before = stack === undefined ? undefined : await readCounted(stack);
  const reference = await startReference();
  const ownReport = `${Deno.cwd()}/${folder}/k6.json`;
  try {
    const { code, output, generator } = await runK6({
      path: k6Path,
      script: `${SHAPES[shape].script}.js`,
      output: Deno.stdout.isTerminal() ? "watched" : "piped",
      env: {
        ...env,
        RECORD: ownReport,
        REFERENCE: reference.target,
        K6_WEB_DASHBOARD: "true",
        // Writes only the file; nothing listens.
        K6_WEB_DASHBOARD_PORT: "-1",
        K6_WEB_DASHBOARD_EXPORT:
          `${Deno.cwd()}/${folder}/${RUN_FILES.dashboard}`,
        // Gives short runs a few points to draw, too.
        ...(shape === "soak" ? {} : { K6_WEB_DASHBOARD_PERIOD: "1s" }),
      },
      signal,
    });
    if (output !== "") printError(`load: ${output.trimEnd()}`);
    const report = await readReport(ownReport);
    if (report === undefined) return { code, record: undefined };
    await Deno.remove(ownReport);
    const after = stack === undefined ? undefined : await readCounted(stack);
    // An interrupted run leaves calls that only one side has counted.
    const isCounted = isReconciled && !signal.aborted;
    const ledgers = isCounted && before !== undefined && after !== undefined
      ? ledgersOf(report, before, after)
      : null;
    return {
      code,
      record: {
        report,
        verdict: verdictOf(report),
        generator: generator ?? null,
        ledgers,
        hasDashboard: await isThere(`${folder}/${RUN_FILES.dashboard}`),
        writtenAt: new Date().toISOString(),
      },
    };
  } finally {
    reference.close();
  }
}
