/** Programs under the Deno that is tested, as processes of their own. */
import { awaitExit, startChild } from "../../src/io/child.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { otherDenoCommand } from "../../src/stack/programs.ts";
import type { Report, Work } from "./calls.ts";
import { judgeExit, type Reasons } from "./judge.ts";

/** A start takes a quarter of a second; a busy machine needs much longer. */
const START_LIMIT_MS = 60_000;

/** Longer than the deadline of calls and the start together. */
const DRIVER_SLACK_MS = 40_000;

/** What tools/gate/probe.ts can measure. */
export type Probe = "node" | "ours" | "read";

/** Thousands of connections take seconds; a busy machine needs longer. */
const PROBE_LIMIT_MS = 120_000;

/** As the task "server" has them, and the collector of garbage for the probe. */
const PROBE_FLAG =
  "--v8-flags=--optimize-for-size,--max-semi-space-size=4,--expose-gc";

/** A Deno that is tested. */
export interface Runtime {
  readonly version: string;
  /** The path of its executable. */
  readonly path: string;
  /** Told what a program has printed before it ended badly. */
  readonly onProgress: (line: string) => void;
  /** Nothing is started any more once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Why this Deno does not run our code, in its own words, whatever else it may
 * be worth; undefined if it does.
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
 * Measures something of this Deno.
 *
 * @returns What was measured, or in words how the probe ended.
 */
export async function measure(
  runtime: Runtime,
  probe: Probe,
): Promise<{ readonly value: unknown } | { readonly failed: string }> {
  const args = [PROBE_FLAG, "tools/gate/probe.ts", probe];
  const result = await runUnder(runtime, args, PROBE_LIMIT_MS);
  if (result.code === 0) return { value: JSON.parse(result.stdout) };
  tellEnd(runtime, "probe", result.code, result.stderr.trim().split("\n"));
  return { failed: `probe exit ${result.code}` };
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

/** Tells how a program has ended that should have ended well. */
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

/** A client's report is one line with the time of every call. */
const REPORT_CHARACTERS_MAX = 10_000_000;

/** A client under the Deno that is tested. */
export interface TestedClient {
  /** Asks it to make no further calls and to report. */
  stop(): void;
  /** Resolves when it has ended; without a report if it printed none. */
  readonly ended: Promise<{
    readonly reasons: Reasons;
    readonly report: Report | undefined;
  }>;
}

/**
 * Starts the driver; it is killed when it takes much too long.
 *
 * @param workMs How long the work takes when all is well.
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
