/** Runs k6 and measures how much CPU it uses. */
import { printable } from "../core/printable.ts";
import { awaitExit, type Child, startChild, startGroup } from "../io/child.ts";
import { statOf, TICKS_PER_S } from "../io/process_stat.ts";
import { textOf } from "../io/processes.ts";
import { scriptsFolder } from "./scripts.ts";

/** How to run k6. */
export interface K6Options {
  /** k6's executable. */
  readonly path: string;
  /** The script's name in loadtest/, for example "grpc.js". */
  readonly script: string;
  /** The settings: variables that the script reads. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * "piped" (default) puts its output into the result; "watched" shows its
   * progress on our terminal and puts only its errors into the result.
   */
  readonly output?: "watched" | "piped";
  /** Stops it when aborted; it still reports what it has measured. */
  readonly signal?: AbortSignal;
}

/** The result of a run of k6. */
export interface K6Result {
  /** 0, 99 when a threshold was crossed, or 105 when it was stopped. */
  readonly code: number;
  /** Standard output, unless "watched", and k6's complaints. */
  readonly output: string;
  /** CPU use of the load generator; undefined if the run was too short. */
  readonly generator: GeneratorUse | undefined;
}

/** How much CPU the load generator used. */
export interface GeneratorUse {
  /** The average number of busy cores, for example 0.3. */
  readonly coresBusy: number;
  /** Cores of the machine. */
  readonly cores: number;
}

/** How long k6 may take to write its report and end once it is stopped. */
const STOP_LIMIT_MS = 10_000;

/** How often the CPU time is sampled. */
const SAMPLE_INTERVAL_S = 0.5;

/**
 * Runs a script to its end.
 *
 * @throws {Failure} `environment` when k6 or the script cannot be started.
 */
export async function runK6(options: K6Options): Promise<K6Result> {
  const { signal } = options;
  const child = startK6(options);
  const sampler = new CpuSampler(child.pid);
  // k6 has its own process group and gets Ctrl-C only from here, once: a second
  // one would make it end without a report.
  const onAbort = () => {
    child.kill("SIGINT");
    void awaitExit(child, STOP_LIMIT_MS);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    const { code } = await child.exited;
    const output = await child.output;
    return { code, output, generator: sampler.use() };
  } finally {
    sampler.stop();
    signal?.removeEventListener("abort", onAbort);
  }
}

function startK6(
  { path, script, env, output }: K6Options,
): Child<string> {
  const file = `${scriptsFolder()}loadtest/${script}`;
  const isWatched = output === "watched";
  return startGroup({
    command: path,
    // No control interface, since concurrent runs would compete for its port.
    args: [
      ...["run", "--address=", "--log-format=json"],
      ...(isWatched ? [] : ["--quiet"]),
      file,
    ],
    env: {
      K6_NO_USAGE_REPORT: "true",
      // Otherwise k6 downloads another k6 for a script that imports one.
      K6_AUTO_EXTENSION_RESOLUTION: "false",
      ...env,
    },
    stdout: isWatched ? "inherit" : "piped",
  }, async (process) => {
    const texts = await Promise.all([
      isWatched ? "" : textOf(process.stdout),
      textOf(process.stderr).then(complaintsOf),
    ]);
    return texts.join("");
  });
}

/**
 * Complaints that the report covers better (thresholds, dropped iterations),
 * and that an aborted run has no dashboard.
 */
const REPORTED =
  /^(thresholds on metrics .* have been crossed|Insufficient VUs, .*|The test run was short, .*)$/;

/**
 * k6's complaints, a line each.
 *
 * @param log JSON lines, and other lines as they are, such as a panic.
 */
export function complaintsOf(log: string): string {
  return log.split("\n").flatMap((line) => {
    const text = messageIn(line);
    return text === "" || REPORTED.test(text)
      ? []
      : [`${printable(text, COMPLAINT_UNITS_MAX)}\n`];
  }).join("");
}

/** Enough for a complaint that names every setting. */
const COMPLAINT_UNITS_MAX = 2000;

function messageIn(line: string): string {
  try {
    return String(JSON.parse(line).msg).replace(ABORTED, "").trim();
  } catch {
    return line.trim();
  }
}

/** k6's prefix to the message of a script that stops the run. */
const ABORTED = /^test aborted: /;

/**
 * Samples a process's CPU time. A shell does that until the process ends: Deno
 * may read /proc only with all permissions, and starting a program for each
 * sample would disturb the measurement.
 */
class CpuSampler {
  readonly #startedAtMs = performance.now();
  readonly #shell: Child;
  #use: GeneratorUse | undefined;

  constructor(pid: number) {
    const read = Deno.build.os === "linux"
      ? `cat /proc/${pid}/stat`
      : `ps -o time= -p ${pid}`;
    const loop = `while ${read}; do sleep ${SAMPLE_INTERVAL_S}; done`;
    this.#shell = startChild({
      command: "sh",
      args: ["-c", `{ ${loop}; } 2>/dev/null`],
      onLine: (line) => this.#add(line),
    });
  }

  /** The use up to the last sample. */
  use(): GeneratorUse | undefined {
    return this.#use;
  }

  stop(): void {
    this.#shell.killGroup("SIGTERM");
  }

  #add(line: string): void {
    const elapsedS = (performance.now() - this.#startedAtMs) / 1000;
    const seconds = Deno.build.os === "linux"
      ? (statOf(line)?.ownTicks ?? 0) / TICKS_PER_S
      : secondsOfPs(line);
    this.#use = {
      coresBusy: seconds / elapsedS,
      cores: navigator.hardwareConcurrency,
    };
  }
}

/** Parses the output of `ps -o time=`: "1:02.50" or "1:01:02". */
export function secondsOfPs(text: string): number {
  return text.trim().split(":")
    .reduce((seconds, part) => 60 * seconds + Number(part), 0);
}
