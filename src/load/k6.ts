/** Runs k6, and measures how much of the machine it takes. */
import { fileURLToPath } from "node:url";
import { Failure, messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

/** Where the scripts are: in the project; for a binary, where it runs. */
const FOLDER = Deno.build.standalone
  ? `${Deno.cwd()}/loadtest/`
  : fileURLToPath(new URL("../../loadtest/", import.meta.url));

/** How to run k6. */
export interface K6Options {
  /** k6's executable. */
  readonly path: string;
  /** The script's name in loadtest/, for example "grpc.js". */
  readonly script: string;
  /** The settings: variables that the script reads. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What becomes of its output: it goes into the result ("piped", default), or
   * its progress is drawn on our terminal and the result has its errors only.
   */
  readonly output?: "watched" | "piped";
  /** Stops it when aborted; what was measured so far is still reported. */
  readonly signal?: AbortSignal;
}

/** What a run of k6 has left. */
export interface K6Result {
  /** 0, or 99 when a threshold was crossed, 105 when it was stopped. */
  readonly code: number;
  /** Standard output, unless it was watched, and what k6 complained of. */
  readonly output: string;
  /** What the load generator took; undefined if the run was too short. */
  readonly generator: GeneratorUse | undefined;
}

/** How much of the machine the load generator took. */
export interface GeneratorUse {
  /** Cores that were busy with it on average, for example 0.3. */
  readonly coresBusy: number;
  /** Cores of the machine. */
  readonly cores: number;
}

/** How long k6 may take to end and to write its report when it is stopped. */
const STOP_LIMIT_MS = 10_000;

/** How often the processor time is read. */
const SAMPLE_INTERVAL_S = 0.5;

/** Clock ticks per second in /proc; Linux shows 100 to every program. */
const TICKS_PER_S = 100;

const running = new Set<Deno.ChildProcess>();

/** Ends every k6 at once; for when there is no time for order. */
export function killAllK6(): void {
  for (const child of running) signalTo(child, "SIGKILL");
}

// However the program ends, its k6 ends with it.
globalThis.addEventListener("unload", killAllK6);

/**
 * Runs a script to its end.
 *
 * @throws {Failure} `environment` when k6 or the script cannot be started.
 */
export async function runK6(options: K6Options): Promise<K6Result> {
  const child = await spawn(options);
  running.add(child);
  const sampler = new CpuSampler(child.pid);
  // In its own process group, k6 gets a Ctrl-C from here, and only once: a
  // second one would make it end without a report.
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    signalTo(child, "SIGINT");
    killTimer = setTimeout(() => signalTo(child, "SIGKILL"), STOP_LIMIT_MS);
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    const texts = Promise.all([
      options.output === "watched" ? "" : textOf(child.stdout),
      textOf(child.stderr).then(complaintsOf),
    ]);
    const { code } = await child.status;
    return {
      code,
      output: (await texts).join(""),
      generator: sampler.use(),
    };
  } finally {
    clearTimeout(killTimer);
    sampler.stop();
    running.delete(child);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

async function spawn(
  { path, script, env, output }: K6Options,
): Promise<Deno.ChildProcess> {
  const file = `${FOLDER}${script}`;
  try {
    await Deno.stat(file);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot find the load test "${file}"; run this in the project's folder`,
      { cause: error },
    );
  }
  const quiet = output === "watched" ? [] : ["--quiet"];
  try {
    return new Deno.Command(path, {
      // No control interface: several runs at once would want its port.
      args: ["run", "--address=", "--log-format=json", ...quiet, file],
      env: { K6_NO_USAGE_REPORT: "true", ...env },
      stdin: "null",
      stdout: output === "watched" ? "inherit" : "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot start k6 at "${path}": ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/**
 * What the report tells more of: thresholds, and calls that did not start; and
 * that a run which was aborted at once has no dashboard.
 */
const REPORTED =
  /^(thresholds on metrics .* have been crossed|Insufficient VUs, .*|The test run was short, .*)$/;

/**
 * What k6 complained of, a line each.
 *
 * @param log JSON lines, and what is none: a crash's last words.
 */
export function complaintsOf(log: string): string {
  return log.split("\n").flatMap((line) => {
    const text = messageIn(line);
    return text === "" || REPORTED.test(text)
      ? []
      : [`${printable(text, COMPLAINT_UNITS_MAX)}\n`];
  }).join("");
}

/** A complaint may name every setting, and no more than that. */
const COMPLAINT_UNITS_MAX = 2000;

function messageIn(line: string): string {
  try {
    return String(JSON.parse(line).msg).replace(ABORTED, "").trim();
  } catch {
    return line.trim();
  }
}

/** What k6 puts before the sentence of a script that stops the run. */
const ABORTED = /^test aborted: /;

function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

function signalTo(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It has ended and its status is on the way.
    if (!(error instanceof TypeError)) throw error;
  }
}

/**
 * Reads a process's time on the processors again and again. A shell does that,
 * until the process has ended: Deno itself must not read /proc without all
 * permissions, and to start a program each time would hold up what else is
 * measured here.
 */
class CpuSampler {
  readonly #startedAtMs = performance.now();
  readonly #shell: Deno.ChildProcess;
  #use: GeneratorUse | undefined;

  constructor(pid: number) {
    const read = Deno.build.os === "linux"
      ? `cat /proc/${pid}/stat`
      : `ps -o time= -p ${pid}`;
    this.#shell = new Deno.Command("sh", {
      args: ["-c", `while ${read}; do sleep ${SAMPLE_INTERVAL_S}; done`],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    void this.#readAll();
  }

  /** The use up to the last sample. */
  use(): GeneratorUse | undefined {
    return this.#use;
  }

  stop(): void {
    signalTo(this.#shell, "SIGTERM");
  }

  async #readAll(): Promise<void> {
    const lines = this.#shell.stdout.pipeThrough(new TextDecoderStream());
    // A sample is one short line, which a pipe never cuts.
    for await (const line of lines) {
      const elapsedS = (performance.now() - this.#startedAtMs) / 1000;
      const seconds = Deno.build.os === "linux"
        ? secondsOfStat(line)
        : secondsOfPs(line);
      this.#use = {
        coresBusy: seconds / elapsedS,
        cores: navigator.hardwareConcurrency,
      };
    }
  }
}

/** Of /proc/PID/stat: the 14th and 15th field, user and system time. */
export function secondsOfStat(text: string): number {
  // The 2nd field is the program's name, which may hold spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Of `ps -o time=`: "1:02.50" or "1:01:02". */
export function secondsOfPs(text: string): number {
  return text.trim().split(":")
    .reduce((seconds, part) => 60 * seconds + Number(part), 0);
}
