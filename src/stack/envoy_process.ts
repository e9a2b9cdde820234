/** The Envoy of the native stack. */
import denoJson from "../../deno.json" with { type: "json" };
import { Failure } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import {
  awaitExit,
  type Child,
  type ExitStatus,
  exitWords,
  startChild,
} from "../io/child.ts";
import type { EnvoyAdmin } from "./envoy_admin.ts";
import type { EnvoyConfig } from "./envoy_config.ts";
import { refusalOf } from "./envoy_refusal.ts";
import { removeSharedMemory } from "./shared_memory.ts";
import { waitUntil } from "../io/wait.ts";

/** A start takes half a second; a busy machine needs much longer. */
const START_LIMIT_MS_DEFAULT = 20_000;

/** A program in Envoy's place may print more than a sentence. */
const LINE_UNITS_MAX = 300;

/** A refused configuration takes thousands of lines; the reason comes last. */
const START_LINES_MAX = 20_000;

/** Envoy does not drain on SIGTERM; it ends at once. */
const STOP_LIMIT_MS = 5000;

/**
 * Envoy's own log, without the lines that its "warning" level adds to every
 * start; an error that stops it is "critical".
 */
const LOG_LEVEL = "error";

/** How long a replaced Envoy gives its calls to finish. */
const DRAIN_S = 5;

/** Options of an Envoy process. */
export interface EnvoyProcessOptions {
  /** The executable. */
  readonly path: string;
  readonly config: EnvoyConfig;
  /** The file that it came from (default "envoy.yaml"). */
  readonly configName?: string | undefined;
  readonly admin: EnvoyAdmin;
  /** Worker threads; round robin is exact with one. */
  readonly concurrency: number;
  /** Shared with its successors (default: replace() may not be used). */
  readonly baseId?: number | undefined;
  /** How long it may take to become live (default 20 s). */
  readonly startLimitMs?: number;
  /** Receives its output, except for a configuration that it refuses. */
  readonly onLine: (line: string) => void;
  /** Called when it ends without being stopped. */
  readonly onCrash: (status: ExitStatus) => void;
}

/** An Envoy that can be started and stopped repeatedly. */
export class EnvoyProcess {
  readonly name = "envoy";
  readonly #options: EnvoyProcessOptions;
  #config: EnvoyConfig;
  #epoch = 0;
  #child: Child | undefined;
  /** Replaced processes that are finishing their last calls. */
  readonly #leaving = new Set<Child>();

  constructor(options: EnvoyProcessOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** The process id; undefined while none runs. */
  get pid(): number | undefined {
    return this.#child?.isRunning ? this.#child.pid : undefined;
  }

  /**
   * Starts it and waits until it is live.
   * @throws {Failure} `environment` when it does not, with its own reason.
   */
  async start(): Promise<void> {
    this.#epoch = 0;
    await this.#start();
  }

  /**
   * Replaces it with Envoy's own hot restart: the new process takes over the
   * sockets and counters, so that no call is refused, and the old one ends when
   * its calls have had time to finish.
   *
   * @throws {Failure} `environment` when the new one does not become live.
   */
  async replace(config: EnvoyConfig): Promise<void> {
    const old = this.#child;
    this.#config = config;
    if (old === undefined) return await this.start();
    this.#child = undefined; // Its end is not a crash.
    this.#leaving.add(old);
    void old.exited.then(() => this.#leaving.delete(old));
    this.#epoch += 1;
    await this.#start();
  }

  async #start(): Promise<void> {
    const { path, admin, baseId, concurrency, onLine } = this.#options;
    const { configName = "envoy.yaml" } = this.#options;
    const limitMs = this.#options.startLimitMs ?? START_LIMIT_MS_DEFAULT;
    const lines: string[] = [];
    let isStarting = true;
    const child = startChild({
      command: path,
      args: [
        // Not a file, so that none can be left behind.
        ...["--config-yaml", JSON.stringify(this.#config)],
        ...["--concurrency", String(concurrency)],
        ...(baseId === undefined ? ["--disable-hot-restart"] : [
          ...["--base-id", String(baseId)],
          ...["--restart-epoch", String(this.#epoch)],
          ...["--parent-shutdown-time-s", String(DRAIN_S + 1)],
        ]),
        ...["--drain-time-s", String(DRAIN_S)],
        ...["--drain-strategy", "immediate"],
        ...["--log-level", LOG_LEVEL],
        // People watch the access log; the default is 10 s.
        ...["--file-flush-interval-msec", "100"],
      ],
      onLine: (line) => {
        if (!isStarting) onLine(line);
        else if (lines.length < START_LINES_MAX) lines.push(line);
      },
    });
    this.#child = child;
    const epoch = this.#epoch;
    let state = "";
    const isLive = await waitUntil(
      async () => {
        if (child.isRunning) state = await admin.stateOf(epoch);
        return !child.isRunning || state === "LIVE";
      },
      limitMs,
    );
    const isSlow = !isLive && child.isRunning;
    if (isSlow) child.kill("SIGKILL");
    const status = child.isRunning && !isSlow ? undefined : await child.exited;
    isStarting = false;
    const refusal = refusalOf(lines, this.#config, configName);
    if (refusal !== undefined) throw refusal;
    lines.forEach(onLine);
    if (isSlow) throw notLive(state, limitMs);
    if (status !== undefined) throw didNotStart(path, status, lines);
    void child.exited.then((status) => {
      if (this.#child === child) this.#options.onCrash(status);
    });
  }

  /** Stops it and waits until it has ended. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined; // What happens now is not a crash.
    const ending = [...this.#leaving, ...(child === undefined ? [] : [child])];
    await Promise.all(ending.map(async (one) => {
      one.kill(signal);
      await awaitExit(one, STOP_LIMIT_MS);
    }));
    const { baseId } = this.#options;
    if (baseId !== undefined) await removeSharedMemory(baseId);
  }
}

/** It ran until it was killed here, so its configuration was accepted. */
function notLive(state: string, limitMs: number): Failure {
  const reason = printable(state, LINE_UNITS_MAX)
    .replace(/; check that Envoy is running$/, "");
  return new Failure(
    "environment",
    `Envoy ran but was not live after ${limitMs} ms, so it was ` +
      `killed: ${reason}; check what slows or filters connections on this ` +
      "machine",
  );
}

function didNotStart(
  path: string,
  status: ExitStatus,
  lines: readonly string[],
): Failure {
  const last = printable(lines.at(-1) ?? "it printed nothing", LINE_UNITS_MAX);
  return new Failure(
    "environment",
    `Envoy did not start (${
      exitWords(status)
    }): ${last}; check that "${path}" ` +
      `is Envoy ${denoJson.toolVersions.envoy}`,
  );
}
