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
import { waitUntil } from "../io/wait.ts";

/** A start takes half a second; a busy machine needs much longer. */
const START_LIMIT_MS_DEFAULT = 20_000;

/** Whatever is in Envoy's place may say more than a sentence. */
const LINE_UNITS_MAX = 300;

/** What it refuses it prints in some thousand lines, and why in the last. */
const START_LINES_MAX = 20_000;

/** Envoy does not drain on SIGTERM; it ends at once. */
const STOP_LIMIT_MS = 5000;

/**
 * Envoy's own log, without the lines that its "warning" level adds to every
 * start; an error that stops it is "critical".
 */
const LOG_LEVEL = "error";

/** What an Envoy process is given. */
export interface EnvoyProcessOptions {
  /** The executable. */
  readonly path: string;
  readonly config: EnvoyConfig;
  /** The file that it was made of (default "envoy.yaml"). */
  readonly configName?: string | undefined;
  readonly admin: EnvoyAdmin;
  /** Worker threads; round robin is exact with one. */
  readonly concurrency: number;
  /** How long it may take until it is live (default 20 s). */
  readonly startLimitMs?: number;
  /** Is given what it prints, but for a configuration that it refuses. */
  readonly onLine: (line: string) => void;
  /** Called when it ends without having been asked to. */
  readonly onCrash: (status: ExitStatus) => void;
}

/** An Envoy that can be started and stopped again and again. */
export class EnvoyProcess {
  readonly name = "envoy";
  readonly #options: EnvoyProcessOptions;
  #child: Child | undefined;

  constructor(options: EnvoyProcessOptions) {
    this.#options = options;
  }

  /** The process's id, or undefined when none runs. */
  get pid(): number | undefined {
    return this.#child?.isRunning ? this.#child.pid : undefined;
  }

  /**
   * Starts it and waits until it is live.
   * @throws {Failure} `environment` when it does not, with its own reason.
   */
  async start(): Promise<void> {
    const { path, config, admin, concurrency, onLine } = this.#options;
    const { configName = "envoy.yaml" } = this.#options;
    const limitMs = this.#options.startLimitMs ?? START_LIMIT_MS_DEFAULT;
    const lines: string[] = [];
    let isStarting = true;
    const child = startChild({
      command: path,
      args: [
        // The configuration is no file: there is none to leave behind.
        ...["--config-yaml", JSON.stringify(config)],
        ...["--concurrency", String(concurrency)],
        ...["--drain-time-s", "5", "--drain-strategy", "immediate"],
        ...["--log-level", LOG_LEVEL, "--disable-hot-restart"],
        // The access log is for people who watch; the default is 10 s.
        ...["--file-flush-interval-msec", "500"],
      ],
      onLine: (line) => {
        if (!isStarting) onLine(line);
        else if (lines.length < START_LINES_MAX) lines.push(line);
      },
    });
    this.#child = child;
    let state = "";
    const isLive = await waitUntil(
      async () => {
        if (child.isRunning) state = await admin.state();
        return !child.isRunning || state === "LIVE";
      },
      limitMs,
    );
    const isSlow = !isLive && child.isRunning;
    if (isSlow) child.kill("SIGKILL");
    const status = child.isRunning && !isSlow ? undefined : await child.exited;
    isStarting = false;
    const refusal = refusalOf(lines, config, configName);
    if (refusal !== undefined) throw refusal;
    lines.forEach(onLine);
    if (isSlow) throw notLive(state, limitMs);
    if (status !== undefined) throw didNotStart(path, status, lines);
    void child.exited.then((status) => {
      if (this.#child === child) this.#options.onCrash(status);
    });
  }

  /** Ends it and waits until it has ended. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined; // What happens now is no crash.
    child.kill(signal);
    await awaitExit(child, STOP_LIMIT_MS);
  }
}

/** It ran until it was ended here, so that its configuration was accepted. */
function notLive(state: string, limitMs: number): Failure {
  const reason = printable(state, LINE_UNITS_MAX)
    .replace(/; check that Envoy runs$/, "");
  return new Failure(
    "environment",
    `Envoy ran but was not live after ${limitMs} ms, so it was ` +
      `ended: ${reason}; check what slows or filters connections on this ` +
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
    `Envoy did not start (${exitWords(status)}): ${last}; see that "${path}" ` +
      `is Envoy ${denoJson.toolVersions.envoy}`,
  );
}
