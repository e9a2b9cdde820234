/** Child processes, in process groups, none of which may outlive this one. */
import { Failure, messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { Watchdog } from "./watchdog.ts";

/** Longer lines are truncated: a program need not end its lines at all. */
const LINE_CHARACTERS_MAX_DEFAULT = 4096;

/**
 * One buffer for all that a program prints: a new one for each read, as a plain
 * reader makes, is 20 MB of garbage a second at 300 lines a second.
 */
const READ_BYTES = 16_384;

/** How a process ended. */
export interface ExitStatus {
  /** 128 + the signal's number if a signal ended it. */
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
}

/** A program to start, without input. */
export interface Command {
  /** A path, or a name to look up on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Variables added to our own, or replacing them. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder (default: ours). */
  readonly cwd?: string;
  /** Where its standard output goes (default "piped"). */
  readonly stdout?: "piped" | "inherit";
  /** Whether it ends soon by itself, so that listeners are not notified. */
  readonly isBrief?: boolean;
}

/** A started program: the leader of its own process group. */
export interface Child<T = unknown> {
  readonly pid: number;
  /** Resolves with what was read from its output. */
  readonly output: Promise<T>;
  /** Resolves when it has ended and its output is read. */
  readonly exited: Promise<ExitStatus>;
  readonly isRunning: boolean;
  /** Sends it a signal; does nothing once it has ended. */
  kill(signal: Deno.Signal): void;
  /** Sends a signal to its whole process group. */
  killGroup(signal: Deno.Signal): void;
}

/** Running children, and whether they are brief. */
const running = new Map<Child, boolean>();
const watchdog = new Watchdog();
let onChange: (pids: readonly number[]) => void = () => {};

/**
 * Kills every child's process group at once, when there is no time for an
 * orderly stop.
 */
export function killAllChildren(): void {
  for (const child of running.keys()) child.killGroup("SIGKILL");
}

// However the program ends, its children end with it. If it is killed, the
// watchdog takes over.
globalThis.addEventListener("unload", () => {
  killAllChildren();
  watchdog.kill();
});

/**
 * Calls `listener` with the ids of all children that are not brief when one
 * starts or ends.
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
 * @param read Receives the process, and reads its output to the end.
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
        // It has ended, but its status is still pending; Deno throws either
        // error.
        const hasEnded = error instanceof Deno.errors.NotFound ||
          error instanceof TypeError;
        if (!hasEnded) throw error;
      }
    },
    killGroup: (signal) => {
      try {
        Deno.kill(-process.pid, signal);
      } catch {
        // The whole group is gone.
      }
    },
  };
  running.set(child, isBrief);
  void childrenChanged(isBrief);
  return child;
}

/** A program to start, with a receiver of its output lines. */
export interface ChildCommand extends Command {
  /**
   * Receives each line of its standard output and standard error, safe to
   * print; lines that are too long are truncated.
   */
  readonly onLine: (line: string) => void;
  /** The longest line passed on whole (default 4096). */
  readonly lineCharactersMax?: number;
}

/**
 * Starts a program as `startGroup()` does, and passes its lines on.
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
  let isCut = false; // The start of this line was passed on.
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
  const reader = stream.getReader({ mode: "byob" });
  const decoder = new TextDecoder();
  let buffer = new ArrayBuffer(READ_BYTES);
  while (true) {
    const { value, done } = await reader.read(new Uint8Array(buffer));
    const [first = "", ...others] = decoder.decode(value, { stream: !done })
      .split("\n");
    add(first);
    for (const other of others) {
      end();
      add(other);
    }
    if (done) break;
    buffer = value.buffer;
  }
  if (line !== "") end();
}

/** How a process ended, in words. */
export function exitWords({ code, signal }: ExitStatus): string {
  return signal === null ? `exit code ${code}` : signal;
}

/**
 * Waits until a child has ended; kills it if it takes too long.
 *
 * @param limitMs How long it may take after being asked to end.
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
  const reason = error instanceof Deno.errors.NotFound
    ? `it is not ${command.includes("/") ? "there" : "on PATH"}`
    : error instanceof Deno.errors.PermissionDenied
    ? "it is not executable for this user"
    : messageOf(error);
  return new Failure(
    "environment",
    `"${command}" cannot be run: ${reason}`,
    { cause: error },
  );
}
