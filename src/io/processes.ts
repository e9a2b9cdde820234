/** Runs other programs to their end. */
import { Failure, messageOf } from "../core/errors.ts";

/** How to run a program. */
export interface RunOptions {
  /** Variables that are added to our own, or replace them. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder; ours by default. */
  readonly cwd?: string;
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

/** The process groups that are running, by the leader's process id. */
const groups = new Set<number>();
let killsAtExit = false;

/**
 * Runs a program to its end, without input. It leads a process group of its
 * own, so that what it has started can be ended with it; a Ctrl-C on the
 * terminal does not reach it, so give it a `signal`. It never outlives us.
 *
 * @param command A path, or a name to look for on PATH.
 * @throws {Failure} `environment` when it is missing or cannot be run, takes
 * longer than `timeoutMs`; `interrupted` when `signal` stopped it. A bad exit
 * code is not a failure.
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  if (options.signal?.aborted) throw stopped(command);
  const child = spawn(command, args, options);
  groups.add(child.pid);
  let why: Failure | undefined;
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  const end = (reason: Failure) => {
    if (why !== undefined) return;
    why = reason;
    signalGroup(child.pid, "SIGTERM");
    killTimer = setTimeout(
      () => signalGroup(child.pid, "SIGKILL"),
      KILL_DELAY_MS,
    );
  };
  const onAbort = () => end(stopped(command));
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const limitTimer = options.timeoutMs === undefined ? undefined : setTimeout(
    () =>
      end(
        new Failure(
          "environment",
          `"${command}" did not end within ${options.timeoutMs} ms`,
        ),
      ),
    options.timeoutMs,
  );
  try {
    const { code, stdout, stderr } = await child.output();
    if (why !== undefined) throw why;
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } finally {
    clearTimeout(limitTimer);
    clearTimeout(killTimer);
    options.signal?.removeEventListener("abort", onAbort);
    // Its own children may be left if it was ended before them.
    if (why !== undefined) signalGroup(child.pid, "SIGKILL");
    groups.delete(child.pid);
  }
}

function spawn(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Deno.ChildProcess {
  if (!killsAtExit) {
    killsAtExit = true;
    globalThis.addEventListener("unload", () => {
      for (const pid of groups) signalGroup(pid, "SIGKILL");
    });
  }
  try {
    return new Deno.Command(command, {
      args: [...args],
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
  } catch (error) {
    throw cannotRun(command, error);
  }
}

/** The failure of a program that could not be started. */
export function cannotRun(command: string, error: unknown): Failure {
  const options = { cause: error };
  if (error instanceof Deno.errors.NotFound) {
    const where = command.includes("/") ? "there" : "on PATH";
    return new Failure(
      "environment",
      `"${command}" cannot be run: it is not ${where}`,
      options,
    );
  }
  const reason = error instanceof Deno.errors.PermissionDenied
    ? "it is not executable for this user"
    : messageOf(error);
  return new Failure(
    "environment",
    `"${command}" cannot be run: ${reason}`,
    options,
  );
}

function stopped(command: string): Failure {
  return new Failure("interrupted", `interrupted while "${command}" ran`);
}

function signalGroup(leaderPid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-leaderPid, signal);
  } catch {
    // The whole group has ended.
  }
}
