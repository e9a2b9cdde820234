/** What every program does around its own work: signals, failures, exit. */
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
 * Runs a program's work and ends the process with its exit code. A failure is
 * printed as its sentence on standard error; that of output that could not be
 * written goes before any other. `--version` is answered here.
 *
 * @param name The program's name, put before the sentence.
 * @param work Returns the exit code.
 */
export async function runProgram(
  name: string,
  work: () => Promise<number>,
): Promise<never> {
  // What nobody catches would end the process without its "unload" event, in
  // which children are killed. A second listener decides for itself.
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
  /** Aborted by the first signal, or when the output takes no more. */
  readonly signal: AbortSignal;
  /** Asks to stop, as a signal would. */
  request(reason: string): void;
}

/**
 * The signals that would end the process and that Deno can listen for. Not
 * SIGPIPE, which the write that fails stands for, and not SIGBUS and SIGTRAP,
 * which a fault in the runtime raises again as soon as a listener returns.
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

/** Says with 0 that whoever starts it has SIGHUP ignored, as nohup has. */
const HANGUP_PROBE = 'trap "exit 1" HUP; kill -HUP $$';

/**
 * Whether SIGHUP was ignored when the program was started. `denow` says so in
 * a variable, since under `deno task`, which listens for every signal, nothing
 * else can. A program that may start others sees it without; the server and
 * the client may not, so that one of those that nohup starts directly stops on
 * SIGHUP.
 */
function isHangupIgnored(): boolean {
  if (Deno.env.get("GRPC_DEMO_NOHUP") !== undefined) return true;
  const permission = { name: "run", command: "/bin/sh" } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return false;
  return new Deno.Command("/bin/sh", { args: ["-c", HANGUP_PROBE] })
    .outputSync().success;
}

/**
 * Listens for every signal that would end the process. The first asks to stop,
 * a second one ends the process at once. SIGHUP counts for nothing when nohup
 * has started the program. Output that takes no more asks to stop, too.
 *
 * @param onForced Called before that end, to kill what must not stay.
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
