/** Runs a load test and records it. */
import { resolve } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { type ShapeName, SHAPES } from "../core/load/shapes.ts";
import { verdictOf } from "../core/load/verdict.ts";
import { messageOf } from "../core/errors.ts";
import {
  type Disturbance,
  TIMERS_LATE_MS_MAX,
  watchDisturbance,
} from "../io/disturbance.ts";
import { machineFacts, versionFacts } from "../io/machine.ts";
import { isThere } from "../io/tools/path.ts";
import { RUN_FILES } from "../io/run_folder.ts";
import { printError } from "../io/terminal.ts";
import type { Stack } from "../stack/stack.ts";
import { type K6Options, type K6Result, runK6 } from "./k6.ts";
import { startReference } from "./reference.ts";
import {
  type Counted,
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
 * Reads the counters. A server or an Envoy that does not answer must not cost
 * the whole run its record.
 *
 * @returns Why they could not be read, in place of them.
 */
async function tryCounted(stack: Stack): Promise<Counted | string> {
  try {
    return await readCounted(stack);
  } catch (error) {
    return messageOf(error);
  }
}

/** Runs k6, and measures what else the machine does meanwhile. */
async function runWatched(
  options: K6Options,
): Promise<K6Result & { readonly disturbance: Disturbance }> {
  const end = await watchDisturbance(TIMERS_LATE_MS_MAX);
  const run = runK6(options);
  const disturbance = await run.then(end, end);
  return { ...await run, disturbance };
}

/**
 * Runs k6 and records it; if k6 was stopped in set-up, there is no record, and
 * the reason is printed.
 *
 * @param folder Where k6 writes its page and its report; that stays there
 * until the caller has written the record.
 */
export async function recordRun(
  shape: ShapeName,
  folder: string,
  { k6Path, env, stack, isReconciled, signal }: LoadRunOptions,
): Promise<{
  readonly code: number;
  readonly record: LoadRecord | undefined;
}> {
  const counted = isReconciled ? stack : undefined;
  const before = counted === undefined ? undefined : await tryCounted(counted);
  const reference = await startReference();
  const ownReport = resolve(folder, RUN_FILES.k6);
  try {
    const { code, output, generator, disturbance } = await runWatched({
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
        K6_WEB_DASHBOARD_EXPORT: resolve(folder, RUN_FILES.dashboard),
        // Gives short runs a few points to draw, too.
        ...(shape === "soak" ? {} : { K6_WEB_DASHBOARD_PERIOD: "1s" }),
      },
      signal,
    });
    if (output !== "") printError(`load: ${output.trimEnd()}`);
    const own = await readReport(ownReport);
    if (own === undefined) return { code, record: undefined };
    // An interrupted run leaves calls that only one side has counted.
    const after = counted === undefined || signal.aborted
      ? undefined
      : await tryCounted(counted);
    const uncounted = [before, after].find((one) => typeof one === "string");
    const report = uncounted === undefined ? own : { ...own, uncounted };
    const ledgers = typeof before === "object" && typeof after === "object"
      ? ledgersOf(report, before, after)
      : null;
    return {
      code,
      record: {
        report,
        verdict: verdictOf(report),
        generator: generator ?? null,
        ledgers,
        disturbance,
        facts: {
          ...machineFacts(),
          ...versionFacts(),
          k6: config.toolVersions.k6,
        },
        hasDashboard: await isThere(`${folder}/${RUN_FILES.dashboard}`),
        writtenAt: new Date().toISOString(),
      },
    };
  } finally {
    reference.close();
  }
}
