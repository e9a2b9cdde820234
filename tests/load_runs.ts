/** Runs of k6 for tests: short, with what they have reported. */
import assert from "node:assert/strict";
import { findTool } from "../src/io/tools.ts";
import { runK6 } from "../src/load/k6.ts";
import type { LoadReport } from "../src/core/load/report.ts";
import { readReport } from "../src/load/report.ts";

/** k6's exit code when a threshold was crossed. */
export const CROSSED = 99;

/** k6's exit code when set-up gave up. */
export const ABORTED = 108;

/** Most runs take 5 seconds, and k6 itself waits 30 for the last calls. */
const RUN_LIMIT_MS = 60_000;

/** A run that has ended. */
export interface Run {
  readonly code: number;
  readonly output: string;
  /** Undefined when set-up gave up. */
  readonly report: LoadReport | undefined;
}

/** Runs a script with short times; `env` is what differs. */
export async function run(
  script: string,
  target: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const k6 = await findTool("k6");
  const folder = await Deno.makeTempDir({ prefix: "load-test-" });
  try {
    const { code, output } = await runK6({
      path: k6.path,
      script,
      signal: AbortSignal.timeout(RUN_LIMIT_MS),
      env: {
        TARGET: target,
        RATE: "150",
        WARMUP: "1s",
        DURATION: "3s",
        // Other tests run beside this one; a stall is not what is looked for.
        P95_MS: "1000",
        P99_MS: "2000",
        VUS: "97",
        REPORT: `${folder}/report`,
        ...env,
      },
    });
    const report = await readReport(`${folder}/report.json`);
    const page = report === undefined
      ? ""
      : await Deno.readTextFile(`${folder}/report.html`);
    assert.equal(page.includes("<h2>Calls per server</h2>"), !!report);
    return { code, output, report };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The metrics whose thresholds were crossed. Calls that a busy machine could
 * not start are left out: they have a control of their own.
 */
export function crossed({ report }: Run): string[] {
  const failed = report?.thresholds.filter(({ ok }) => !ok) ?? [];
  return [...new Set(failed.map(({ metric }) => metric))]
    .filter((metric) => !metric.startsWith("dropped_iterations"))
    .sort();
}
