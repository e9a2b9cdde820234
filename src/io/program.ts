/** What every program does around its work: signals, failures, exit. */
import process from "node:process";
import { EXIT_CODES, Failure } from "../core/errors.ts";
import {
  onOutputClosed,
  outputFailure,
  print,
  printError,
} from "./terminal.ts";
import { versionOfProgram } from "./build.ts";

/**
 * Runs a program's work and ends the process with its exit code. A failure's
 * sentence goes to standard error; a failure to write standard output takes
 * precedence. `--version` is answered here.
 *
 * @param name The program's name, as the sentence's prefix.
 * @param work Returns the exit code.
 */
export async function runProgram(
  name: string,
  work: () => Promise<number>,
): Promise<never> {
  // An uncaught error would end the process without its "unload" event, in
  // which children are killed. A later listener decides for itself.
  process.on("uncaughtException", (error) => {
    if (process.listenerCount("uncaughtException") > 1) return;
    exitWithFailure(name, error);
  });
  try {
    if (Deno.args.includes("--version")) {
      print(versionOfProgram(name));
      Deno.exit(0);
    }
    const code = await work();
    const failure = outputFailure();
    if (failure !== undefined) throw failure;
    Deno.exit(code);
  } catch (thrown) {
    exitWithFailure(name, outputFailure() ?? thrown);
  }
}

/**
 * Ends the process with the sentence and the exit code of what was thrown.
 *
 * @param name The program's name, as the sentence's prefix.
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
  /** Aborted by the first signal, or when output can no longer be written. */
  readonly signal: AbortSignal;
  /** Requests a stop, as a signal would. */
  request(reason: string): void;
}

/**
 * The signals that would end the process and that Deno can listen for. SIGPIPE
 * is left out, as the failed write reports it; so are SIGBUS and SIGTRAP, which
 * a fault in the runtime raises again when the listener returns.
 */
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : [
    ...["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT"] as const,
    ...["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF"] as const,
    ...["SIGXCPU", "SIGXFSZ", "SIGSYS"] as const,
    ...(Deno.build.os === "linux"
      ? ["SIGIO", "SIGPWR", "SIGSTKFLT"] as const
      : []),
  ];

/**
 * Signals this close together are one: at Ctrl-C the terminal signals every
 * program in the foreground, and `deno task` passes its own on to its child.
 */
const SAME_SIGNAL_MS = 500;

/** Exits with 0 if SIGHUP is ignored, as under nohup. */
const HANGUP_PROBE = 'trap "exit 1" HUP; kill -HUP $$';

/**
 * Whether SIGHUP was ignored when the program started. `denow` says so in a
 * variable, since `deno task` listens for every signal and hides it. A program
 * that may start others can also probe; the server and the client may not, so
 * one started directly by nohup stops on SIGHUP.
 */
function isHangupIgnored(): boolean {
  if (Deno.env.get("GRPC_DEMO_NOHUP") !== undefined) return true;
  const permission = { name: "run", command: "/bin/sh" } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return false;
  return new Deno.Command("/bin/sh", { args: ["-c", HANGUP_PROBE] })
    .outputSync().success;
}

/**
 * Listens for every signal that would end the process. The first requests a
 * stop, a second ends the process at once. SIGHUP is ignored under nohup.
 * Output that can no longer be written also requests a stop.
 *
 * @param onForced Called before a forced end, to kill what must not remain.
 */
export function listenForStop(onForced: () => void = () => {}): StopRequest {
  const controller = new AbortController();
  const isIgnored = Deno.build.os !== "windows" && isHangupIgnored();
  let firstAtMs = Infinity;
  for (const name of STOP_SIGNALS) {
    Deno.addSignalListener(name, () => {
      if (name === "SIGHUP" && isIgnored) return;
      if (performance.now() - firstAtMs >= SAME_SIGNAL_MS) {
        onForced();
        Deno.exit(EXIT_CODES.interrupted);
      }
      firstAtMs = Math.min(firstAtMs, performance.now());
      controller.abort(name);
    });
  }
  onOutputClosed(() => controller.abort("output closed"));
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
