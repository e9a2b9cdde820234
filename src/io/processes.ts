/** Runs other programs to completion. */
import { Failure } from "../core/errors.ts";
import { type Command, startGroup } from "./child.ts";

/** How to run a program. */
export interface RunOptions extends Pick<Command, "env" | "cwd"> {
  /** When aborted, ends the program and everything it started. */
  readonly signal?: AbortSignal;
  /** The longest it may take (default: no limit). */
  readonly timeoutMs?: number;
}

/** The result of a program that ran to completion. */
export interface RunResult {
  /** Its exit code; 128 + the signal's number if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The grace period before a program is killed. */
const KILL_DELAY_MS = 2_000;

/**
 * Runs a program to completion, without input. What it started ends with it,
 * and it never outlives us. Ctrl-C on the terminal does not reach it, so pass a
 * `signal`.
 *
 * @param command A path, or a name to look up on PATH.
 * @throws {Failure} `environment` when it is missing, cannot be run or takes
 * longer than `timeoutMs`; `interrupted` when `signal` stopped it. A bad exit
 * code is not a failure.
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  { signal, timeoutMs, ...options }: RunOptions = {},
): Promise<RunResult> {
  if (signal?.aborted) throw stopped(command);
  const child = startGroup(
    { ...options, command, args, isBrief: true },
    ({ stdout, stderr }) => Promise.all([textOf(stdout), textOf(stderr)]),
  );
  let why: Failure | undefined;
  const timers: ReturnType<typeof setTimeout>[] = [];
  const end = (reason: Failure) => {
    if (why !== undefined) return;
    why = reason;
    child.killGroup("SIGTERM");
    timers.push(setTimeout(() => child.killGroup("SIGKILL"), KILL_DELAY_MS));
  };
  const onAbort = () => end(stopped(command));
  signal?.addEventListener("abort", onAbort);
  if (timeoutMs !== undefined) {
    timers.push(setTimeout(() => end(tooSlow(command, timeoutMs)), timeoutMs));
  }
  try {
    const { code } = await child.exited;
    const [stdout, stderr] = await child.output;
    if (why !== undefined) throw why;
    return { code, stdout, stderr };
  } finally {
    timers.forEach(clearTimeout);
    signal?.removeEventListener("abort", onAbort);
    // If it was ended first, its children may remain.
    if (why !== undefined) child.killGroup("SIGKILL");
  }
}

/** The last line that a program printed, for messages. */
export function lastLine({ stdout, stderr, code }: RunResult): string {
  return `${stdout}\n${stderr}`.split("\n")
    .map((line) => line.trim())
    // Docker warns in lines with a time.
    .filter((line) => line !== "" && !line.startsWith("time="))
    .at(-1) ?? `exit code ${code}`;
}

/** Everything a stream yields, as text. */
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

function tooSlow(command: string, timeoutMs: number): Failure {
  return new Failure(
    "environment",
    `"${command}" did not end within ${timeoutMs} ms`,
  );
}

function stopped(command: string): Failure {
  return new Failure("interrupted", `interrupted while "${command}" ran`);
}
