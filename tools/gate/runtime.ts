/** Runs programs under the tested Deno, in their own processes. */
import { awaitExit, startChild } from "../../src/io/child.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { otherDenoCommand } from "../../src/stack/programs.ts";
import type { Report, Work } from "./calls.ts";
import { judgeExit, type Outcome, type Reasons } from "./judge.ts";

/** A start takes a quarter of a second, and much longer on a busy machine. */
const START_LIMIT_MS = 60_000;

/** More than the calls' deadline and the start together. */
const DRIVER_SLACK_MS = 40_000;

/** What tools/gate/probe.ts can measure. */
export type Probe = "node" | "ours" | "read";

/** Thousands of connections take seconds, and longer on a busy machine. */
const PROBE_LIMIT_MS = 120_000;

/** As in the task "server", plus garbage collection for the probe. */
const PROBE_FLAG =
  "--v8-flags=--optimize-for-size,--max-semi-space-size=4,--expose-gc";

/** A tested Deno. */
export interface Runtime {
  readonly version: string;
  /** The path of its executable. */
  readonly path: string;
  /** Receives what a program printed before it failed. */
  readonly onProgress: (line: string) => void;
  /** Once aborted, nothing more is started. */
  readonly signal: AbortSignal;
}

/**
 * Why this Deno does not run our code, in its own words; undefined if it does.
 */
export async function whyNotRunning(
  runtime: Runtime,
): Promise<string | undefined> {
  for (
    const program of [["src/server.ts", "--help"], ["tools/gate/driver.ts"]]
  ) {
    const result = await runUnder(runtime, program, START_LIMIT_MS);
    if (result.code === 0) continue;
    const [line] = result.stderr.trim().split("\n");
    return `${program[0]} exit ${result.code}: ${line || "it printed nothing"}`;
  }
  return undefined;
}

/**
 * Measures something about this Deno.
 *
 * @param judge Judges the measurement; a failed probe needs no judge.
 */
export async function measure(
  runtime: Runtime,
  probe: Probe,
  judge: (value: unknown) => Outcome,
): Promise<Outcome> {
  const args = [PROBE_FLAG, "tools/gate/probe.ts", probe];
  const result = await runUnder(runtime, args, PROBE_LIMIT_MS);
  if (result.code === 0) return judge(JSON.parse(result.stdout));
  tellEnd(runtime, "probe", result.code, result.stderr.trim().split("\n"));
  return [`probe exit ${result.code}`];
}

function runUnder(
  { path, signal }: Runtime,
  words: readonly string[],
  timeoutMs: number,
) {
  const { command, args, cwd } = otherDenoCommand(path, words);
  const env = { NO_COLOR: "1" };
  return runToEnd(command, args, { cwd, env, timeoutMs, signal });
}

/** Reports how a program ended that should have exited cleanly. */
export function tellEnd(
  { version, onProgress }: Runtime,
  program: string,
  code: number,
  lines: readonly string[],
): void {
  if (code === 0) return;
  onProgress(
    `Deno ${version}: ${program} ended with ${code}, its last line: ` +
      (lines.at(-1) || "none"),
  );
}

/** A client's report is one line that has the time of every call. */
const REPORT_CHARACTERS_MAX = 10_000_000;

/** A client under the tested Deno. */
export interface TestedClient {
  /** Makes it stop calling and report. */
  stop(): void;
  /** Resolves when it has exited; without a report if it printed none. */
  readonly ended: Promise<{
    readonly reasons: Reasons;
    readonly report: Report | undefined;
  }>;
}

/**
 * Starts the driver, which is killed if it takes far too long.
 *
 * @param workMs How long the work normally takes.
 */
export function startClient(
  runtime: Runtime,
  target: string,
  work: Work,
  workMs = 0,
): TestedClient {
  runtime.signal.throwIfAborted();
  const lines: string[] = [];
  const words = ["tools/gate/driver.ts", target, JSON.stringify(work)];
  const child = startChild({
    ...otherDenoCommand(runtime.path, words),
    onLine: (line) => lines.push(line),
    lineCharactersMax: REPORT_CHARACTERS_MAX,
  });
  const ended = async () => {
    const status = await awaitExit(child, workMs + DRIVER_SLACK_MS);
    tellEnd(runtime, "client", status.code, lines);
    const line = lines.find((text) => text.startsWith("{"));
    return {
      reasons: judgeExit("client", status),
      report: line === undefined ? undefined : JSON.parse(line) as Report,
    };
  };
  return { stop: () => child.kill("SIGTERM"), ended: ended() };
}
