/** What every program does around its own work: signals, failures, exit. */
import { Failure } from "../core/errors.ts";
import { print, printError } from "./terminal.ts";
import { versionOfProgram } from "./version.ts";

/**
 * Runs a program's work and ends the process with its exit code. A failure is
 * printed as its sentence on standard error. `--version` is answered here.
 *
 * @param name The program's name, put before the sentence.
 * @param work Returns the exit code.
 */
export async function runProgram(
  name: string,
  work: () => Promise<number>,
): Promise<never> {
  try {
    if (Deno.args.includes("--version")) {
      print(versionOfProgram(name));
      Deno.exit(0);
    }
    Deno.exit(await work());
  } catch (thrown) {
    exitWithFailure(name, thrown);
  }
}

/**
 * Ends the process with the sentence and the exit code of what was thrown.
 *
 * @param name The program's name, put before the sentence.
 */
export function exitWithFailure(name: string, thrown: unknown): never {
  const failure = Failure.from(thrown);
  for (const line of failure.message.split("\n")) {
    printError(`${name}: ${line}`);
  }
  Deno.exit(failure.exitCode);
}

/** A request to stop, made by a signal or by the program itself. */
export interface StopRequest {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Asks to stop, as a signal would. */
  request(reason: string): void;
}

/** Exit code after a second signal: 128 + SIGINT, as shells count it. */
const FORCED_EXIT_CODE = 130;

/**
 * Signals this close together are one: at Ctrl-C the terminal signals every
 * program in the foreground, and `deno task` passes its own on to its child.
 */
const SAME_SIGNAL_MS = 500;

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. The first asks to stop, a second
 * one ends the process at once.
 *
 * @param onForced Called before that end, to kill what must not stay.
 */
export function listenForStop(onForced: () => void = () => {}): StopRequest {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  let firstAtMs = Infinity;
  for (const name of signals) {
    Deno.addSignalListener(name, () => {
      if (performance.now() - firstAtMs >= SAME_SIGNAL_MS) {
        onForced();
        Deno.exit(FORCED_EXIT_CODE);
      }
      firstAtMs = Math.min(firstAtMs, performance.now());
      controller.abort(name);
    });
  }
  return {
    signal: controller.signal,
    request: (reason) => controller.abort(reason),
  };
}

/** Resolves when the signal is aborted, with its reason as text. */
export function whenAborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(String(signal.reason));
    else {
      signal.addEventListener(
        "abort",
        () => resolve(String(signal.reason)),
        { once: true },
      );
    }
  });
}
