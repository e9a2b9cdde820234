/** Long-running child processes, none of which may outlive the program. */
import { printable } from "../core/printable.ts";
import { cannotRun } from "./processes.ts";
import { Watchdog } from "./watchdog.ts";

/** Longer lines are cut: a program need not end its lines at all. */
const LINE_CHARACTERS_MAX_DEFAULT = 4096;

/** How a process ended. */
export interface ExitStatus {
  readonly code: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
}

/** A program to start. */
export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /**
   * Receives each line of its standard output and standard error, printable;
   * the rest of a line that is too long is dropped.
   */
  readonly onLine: (line: string) => void;
  /** The longest line that is handed on whole (default 4096). */
  readonly lineCharactersMax?: number;
}

/** A started program. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended and its last line was handed on. */
  readonly exited: Promise<ExitStatus>;
  readonly isRunning: boolean;
  /** Sends a signal; does nothing once it has ended. */
  kill(signal: Deno.Signal): void;
}

const running = new Set<Child>();
const watchdog = new Watchdog();
let onChange: (pids: readonly number[]) => void = () => {};

/**
 * Ends every child, and what it has started itself, at once; for when there is
 * no time for order.
 */
export function killAllChildren(): void {
  for (const { pid } of running) {
    try {
      Deno.kill(-pid, "SIGKILL"); // It leads a process group.
    } catch {
      // It has ended and its status is on the way.
    }
  }
}

// However the program ends, its children end with it. When it is killed itself,
// the watchdog sees to that.
globalThis.addEventListener("unload", () => {
  killAllChildren();
  watchdog.kill();
});

/** Tells `listener` the ids of all children when one has started or ended. */
export function onChildrenChange(
  listener: (pids: readonly number[]) => void,
): void {
  onChange = listener;
}

async function childrenChanged(): Promise<void> {
  const pids = [...running].map(({ pid }) => pid);
  onChange(pids);
  await watchdog.watch(pids);
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the
 * terminal reaches only this program, which then stops the others in order.
 *
 * @throws {Failure} `environment` when it cannot be started.
 */
export function startChild(options: ChildCommand): Child {
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command(options.command, {
      args: [...options.args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
  } catch (error) {
    throw cannotRun(options.command, error);
  }
  const lines = Promise.all([
    readLines(process.stdout, options),
    readLines(process.stderr, options),
  ]);
  let isRunning = true;
  const exited = process.status.then(async ({ code, signal }) => {
    isRunning = false;
    running.delete(child);
    await Promise.all([lines, childrenChanged()]);
    return { code, signal };
  });
  const child: Child = {
    pid: process.pid,
    exited,
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
  };
  running.add(child);
  void childrenChanged();
  return child;
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
