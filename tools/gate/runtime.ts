/** Programs under the Deno that is tested, as processes of their own. */
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/core/errors.ts";
import { runToEnd } from "../../src/io/processes.ts";
import {
  awaitExit,
  type Child,
  type ExitStatus,
  startChild,
} from "../../src/io/child.ts";
import type { Report, Work } from "./calls.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Sets of permissions are not what is tested, and Deno 2.7 lacks a stable
 * import of text; with these the same code runs on each.
 */
const DENO_FLAGS = ["run", "-q", "-A", "--unstable-raw-imports"] as const;

/** A start takes a quarter of a second; a busy machine needs much longer. */
const START_LIMIT_MS = 20_000;

/** Longer than a server's own deadline for open calls. */
const STOP_LIMIT_MS = 15_000;

/** Longer than the deadline of calls and the start together. */
const DRIVER_SLACK_MS = 40_000;

/** What tools/gate/probe.ts can measure. */
export type Probe = "node" | "ours" | "read";

/** Thousands of connections take seconds; a busy machine needs longer. */
const PROBE_LIMIT_MS = 120_000;

/** As the task "server" has them, and the collector of garbage for the probe. */
const PROBE_FLAG =
  "--v8-flags=--optimize-for-size,--max-semi-space-size=4,--expose-gc";

/** A Deno that is tested. */
export interface Runtime {
  readonly version: string;
  /** The path of its executable. */
  readonly path: string;
  /** Told what a program has printed before it ended badly. */
  readonly onProgress: (line: string) => void;
  /** Nothing is started any more once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Why this Deno does not run our code, in its own words, whatever else it may
 * be worth; undefined if it does.
 */
export async function whyNotRunning(
  { path, signal }: Runtime,
): Promise<string | undefined> {
  for (
    const program of [["src/server.ts", "--help"], ["tools/gate/driver.ts"]]
  ) {
    const result = await runToEnd(path, [...DENO_FLAGS, ...program], {
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      timeoutMs: START_LIMIT_MS * 3,
      signal,
    });
    if (result.code === 0) continue;
    const [line] = result.stderr.trim().split("\n");
    return `${program[0]} exit ${result.code}: ${line || "it printed nothing"}`;
  }
  return undefined;
}

/**
 * Measures something of this Deno.
 *
 * @returns What was measured, or in words how the probe ended.
 */
export async function measure(
  runtime: Runtime,
  probe: Probe,
): Promise<{ readonly value: unknown } | { readonly failed: string }> {
  const { path, version, signal, onProgress } = runtime;
  const args = [...DENO_FLAGS, PROBE_FLAG, "tools/gate/probe.ts", probe];
  const result = await runToEnd(path, args, {
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    timeoutMs: PROBE_LIMIT_MS,
    signal,
  });
  if (result.code === 0) return { value: JSON.parse(result.stdout) };
  const lastLine = result.stderr.trim().split("\n").at(-1) || "none";
  onProgress(`Deno ${version}: probe, its last line: ${lastLine}`);
  return { failed: `probe exit ${result.code}` };
}

/** A server under the Deno that is tested. */
export interface TestedServer {
  /** "host:port". */
  readonly address: string;
  readonly isRunning: boolean;
  /** Asks it to end, if it has not ended, and tells how it did. */
  stop(): Promise<ExitStatus>;
}

/**
 * Starts src/server.ts.
 * @throws {Failure} `failed` when it does not serve.
 */
export async function startServer(
  runtime: Runtime,
  at: { readonly host: string; readonly port: number },
  flags: readonly string[] = [],
): Promise<TestedServer> {
  let onServing = () => {};
  const serving = new Promise<"serving">((resolve) => {
    onServing = () => resolve("serving");
  });
  const lines: string[] = [];
  const child = startChild({
    ...command(runtime, "src/server.ts", [
      ...["--host", at.host, "--port", String(at.port), "--name", "gate"],
      ...flags,
    ]),
    onLine: (line) => {
      lines.push(line);
      if (line.includes("serving on")) onServing();
    },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), START_LIMIT_MS);
  const result = await Promise.race([serving, child.exited]);
  clearTimeout(timer);
  if (result !== "serving") {
    throw new Failure(
      "failed",
      `server does not start: ${lines.at(-1) ?? "it printed nothing"}`,
    );
  }
  return {
    address: `${at.host}:${at.port}`,
    get isRunning() {
      return child.isRunning;
    },
    stop: async () => {
      child.kill("SIGTERM");
      return await ended(runtime, "server", child, lines);
    },
  };
}

/** A client's report is one line with the time of every call. */
const REPORT_CHARACTERS_MAX = 10_000_000;

/** A client under the Deno that is tested. */
export interface TestedClient {
  /** Asks it to make no further calls and to report. */
  stop(): void;
  /** Resolves when it has ended. */
  readonly exited: Promise<ExitStatus>;
  /** Resolves with its report, or undefined if it ended without one. */
  readonly report: Promise<Report | undefined>;
}

/**
 * Starts the driver; it is killed when it takes much too long.
 *
 * @param workMs How long the work takes when all is well.
 */
export function startClient(
  runtime: Runtime,
  target: string,
  work: Work,
  workMs = 0,
): TestedClient {
  const lines: string[] = [];
  const child = startChild({
    ...command(runtime, "tools/gate/driver.ts", [target, JSON.stringify(work)]),
    onLine: (line) => lines.push(line),
    lineCharactersMax: REPORT_CHARACTERS_MAX,
  });
  const exited = ended(
    runtime,
    "client",
    child,
    lines,
    workMs + DRIVER_SLACK_MS,
  );
  return {
    stop: () => child.kill("SIGTERM"),
    exited,
    report: exited.then(() => {
      const line = lines.find((text) => text.startsWith("{"));
      return line === undefined ? undefined : JSON.parse(line) as Report;
    }),
  };
}

async function ended(
  { version, onProgress }: Runtime,
  program: string,
  child: Child,
  lines: readonly string[],
  limitMs = STOP_LIMIT_MS,
): Promise<ExitStatus> {
  const status = await awaitExit(child, limitMs);
  if (status.code !== 0) {
    onProgress(
      `Deno ${version}: ${program} ended with ${status.code}, its last line: ` +
        (lines.at(-1) ?? "none"),
    );
  }
  return status;
}

function command(
  { path, signal }: Runtime,
  program: string,
  args: readonly string[],
): { command: string; args: readonly string[]; cwd: string } {
  signal.throwIfAborted();
  return { command: path, args: [...DENO_FLAGS, program, ...args], cwd: ROOT };
}

/** A port that is free on all these addresses now. */
export function freePort(hosts: readonly string[] = ["127.0.0.1"]): number {
  while (true) {
    const [first = "", ...others] = hosts;
    const listener = Deno.listen({ hostname: first, port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    try {
      for (const hostname of others) Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
