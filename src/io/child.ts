/** Other programs, in process groups, none of which may outlive this one. */
import { Failure, messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { Watchdog } from "./watchdog.ts";

/** Longer lines are cut: a program need not end its lines at all. */
const LINE_CHARACTERS_MAX_DEFAULT = 4096;

/** How a process ended. */
export interface ExitStatus {
  /** 128 + the signal's number if a signal ended it. */
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
}

/** A program to start, without input. */
export interface Command {
  /** A path, or a name to look for on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Variables that are added to our own, or replace them. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder (default: ours). */
  readonly cwd?: string;
  /** Where its standard output goes (default "piped"). */
  readonly stdout?: "piped" | "inherit";
  /** Whether it ends soon by itself, so that nobody need know of it. */
  readonly isBrief?: boolean;
}

/** A started program, which leads a process group of its own. */
export interface Child<T = unknown> {
  readonly pid: number;
  /** Resolves with what was read of its output. */
  readonly output: Promise<T>;
  /** Resolves when it has ended and its output was read. */
  readonly exited: Promise<ExitStatus>;
  readonly isRunning: boolean;
  /** Sends it a signal; does nothing once it has ended. */
  kill(signal: Deno.Signal): void;
  /** Sends a signal to it and to all that it has started. */
  killGroup(signal: Deno.Signal): void;
}

/** Those that run, and whether they are brief. */
const running = new Map<Child, boolean>();
const watchdog = new Watchdog();
let onChange: (pids: readonly number[]) => void = () => {};

/**
 * Ends every child, and what it has started itself, at once; for when there is
 * no time for order.
 */
export function killAllChildren(): void {
  for (const child of running.keys()) child.killGroup("SIGKILL");
}

// However the program ends, its children end with it. When it is killed itself,
// the watchdog sees to that.
globalThis.addEventListener("unload", () => {
  killAllChildren();
  watchdog.kill();
});

/**
 * Tells `listener` the ids of all children that are not brief, when one has
 * started or ended.
 */
export function onChildrenChange(
  listener: (pids: readonly number[]) => void,
): void {
  onChange = listener;
}

async function childrenChanged(isBrief: boolean): Promise<void> {
  const all = [...running].map(([{ pid }, isBrief]) => ({ pid, isBrief }));
  const pids = all.map(({ pid }) => pid);
  if (!isBrief) {
    onChange(all.filter(({ isBrief }) => !isBrief).map(({ pid }) => pid));
  }
  try {
    await watchdog.watch(pids);
  } catch (error) {
    throw cannotRun("/bin/sh", error);
  }
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the
 * terminal reaches only this program, which then stops the others in order.
 *
 * @param read Is given the process, and reads what it writes to its end.
 * @throws {Failure} `environment` when it cannot be started.
 */
export function startGroup<T>(
  { command, args, env, cwd, stdout = "piped", isBrief = false }: Command,
  read: (process: Deno.ChildProcess) => Promise<T>,
): Child<T> {
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout,
      stderr: "piped",
      detached: true,
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    }).spawn();
  } catch (error) {
    throw cannotRun(command, error);
  }
  let isRunning = true;
  const output = read(process);
  const end = async () => {
    const status = process.status.finally(() => isRunning = false);
    const [{ code, signal }] = await Promise.all([status, output]);
    running.delete(child);
    await childrenChanged(isBrief);
    return { code, signal };
  };
  const child: Child<T> = {
    pid: process.pid,
    output,
    exited: end(),
    get isRunning() {
      return isRunning;
    },
    kill: (signal) => {
      if (!isRunning) return;
      try {
        process.kill(signal);
      } catch (error) {
        // It has ended and its status is on the way; Deno says so with
        // either error.
        const hasEnded = error instanceof Deno.errors.NotFound ||
          error instanceof TypeError;
        if (!hasEnded) throw error;
      }
    },
    killGroup: (signal) => {
      try {
        Deno.kill(-process.pid, signal);
      } catch {
        // The whole group has ended.
      }
    },
  };
  running.set(child, isBrief);
  void childrenChanged(isBrief);
  return child;
}

/** A program to start whose lines are of interest. */
export interface ChildCommand extends Command {
  /**
   * Receives each line of its standard output and standard error, printable;
   * the rest of a line that is too long is dropped.
   */
  readonly onLine: (line: string) => void;
  /** The longest line that is handed on whole (default 4096). */
  readonly lineCharactersMax?: number;
}

/**
 * Starts a program as `startGroup()` does, and hands its lines on.
 *
 * @throws {Failure} `environment` when it cannot be started.
 */
export function startChild(options: ChildCommand): Child {
  return startGroup(
    options,
    ({ stdout, stderr }) =>
      Promise.all([readLines(stdout, options), readLines(stderr, options)]),
  );
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  { onLine, lineCharactersMax = LINE_CHARACTERS_MAX_DEFAULT }: ChildCommand,
): Promise<void> {
  let line = "";
  let isCut = false; // The beginning of this line was handed on.
  const handOn = (text: string) =>
    onLine(printable(text.replace(/\r$/, ""), lineCharactersMax));
  const add = (text: string) => {
    if (isCut) return;
    line += text;
    if (line.length <= lineCharactersMax) return;
    handOn(line);
    isCut = true;
  };
  const end = () => {
    if (!isCut) handOn(line);
    line = "";
    isCut = false;
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const [first = "", ...others] = text.split("\n");
    add(first);
    for (const other of others) {
      end();
      add(other);
    }
  }
  if (line !== "") end();
}

/** How a process ended, in words. */
export function exitWords({ code, signal }: ExitStatus): string {
  return signal === null ? `exit code ${code}` : signal;
}

/**
 * Waits until a child has ended; kills it when it takes too long.
 *
 * @param limitMs How long it may take after it was asked to end.
 */
export async function awaitExit(
  child: Child,
  limitMs: number,
): Promise<ExitStatus> {
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  try {
    return await child.exited;
  } finally {
    clearTimeout(timer);
  }
}

/** The failure of a program that could not be started. */
function cannotRun(command: string, error: unknown): Failure {
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
