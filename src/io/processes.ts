/** Runs other programs to their end. */
import { Failure } from "../core/errors.ts";
import { type Command, startGroup } from "./child.ts";

/** How to run a program. */
export interface RunOptions extends Pick<Command, "env" | "cwd"> {
  /** Ends the program, and all that it started, when aborted. */
  readonly signal?: AbortSignal;
  /** The longest that it may take; without it, as long as it likes. */
  readonly timeoutMs?: number;
}

/** What a program that ran to its end has left. */
export interface RunResult {
  /** Its exit code; 128 + the signal's number if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a program has to end by itself before it is killed. */
const KILL_DELAY_MS = 2_000;

/**
 * Runs a program to its end, without input. What it has started is ended with
 * it; a Ctrl-C on the terminal does not reach it, so give it a `signal`. It
 * never outlives us.
 *
 * @param command A path, or a name to look for on PATH.
 * @throws {Failure} `environment` when it is missing or cannot be run, takes
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
    // Its own children may be left if it was ended before them.
    if (why !== undefined) child.killGroup("SIGKILL");
  }
}

/** All that comes of a stream, as text. */
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
