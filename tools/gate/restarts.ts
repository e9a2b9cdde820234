/** The runtime gate's check in which Envoy is restarted. */
import { Failure } from "../../src/core/errors.ts";
import { findTool } from "../../src/io/tools.ts";
import { pause } from "../../src/io/wait.ts";
import { freePorts } from "../../src/stack/free_port.ts";
import { NativeStack } from "../../src/stack/native.ts";
import type { Check } from "./checks.ts";
import {
  type Absence,
  judgeExit,
  judgeRestarts,
  type Reasons,
} from "./judge.ts";
import { type Runtime, startClient } from "./runtime.ts";

const SERVERS = 3;
const RATE_PER_S = 50;

/** How often Envoy is restarted. */
const RESTARTS = 5;

/** How long calls run before, between and after restarts. */
const UNDISTURBED_MS = 2_500;

/** An upper bound: the client is stopped after the restarts. */
const LOAD_LIMIT_MS = 300_000;

async function startStack({ path, signal }: Runtime): Promise<NativeStack> {
  const envoy = await findTool("envoy");
  return await NativeStack.start({
    servers: SERVERS,
    ...freePorts(),
    envoyPath: envoy.path,
    serverDeno: path,
    signal,
  });
}

async function loadThroughRestarts(
  runtime: Runtime,
  stack: NativeStack,
): Promise<Reasons> {
  const client = startClient(runtime, stack.endpoint, {
    kind: "load",
    ratePerS: RATE_PER_S,
    calls: RATE_PER_S * LOAD_LIMIT_MS / 1000,
  }, LOAD_LIMIT_MS);
  const absences: Absence[] = [];
  await pause(UNDISTURBED_MS);
  for (let made = 0; made < RESTARTS; made += 1) {
    const stoppedAtMs = Date.now();
    await stack.stopEnvoy("SIGTERM");
    runtime.signal.throwIfAborted();
    await stack.startEnvoy();
    absences.push({ stoppedAtMs, readyAtMs: Date.now() });
    await pause(UNDISTURBED_MS);
  }
  client.stop();
  const { reasons, report } = await client.ended;
  if (report === undefined) return reasons;
  runtime.onProgress(
    `Deno ${runtime.version}: ${report.calls} calls, ` +
      `${report.failures.length} failed while Envoy was away`,
  );
  return [...reasons, ...judgeRestarts(report, absences)];
}

async function envoyRestarts(runtime: Runtime): Promise<Reasons> {
  let stack: NativeStack | undefined;
  let reasons: Reasons = [];
  try {
    stack = await startStack(runtime);
    reasons = await loadThroughRestarts(runtime, stack);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    reasons = [error.message];
  } finally {
    for (const { name } of stack?.servers() ?? []) {
      const status = await stack?.stop(name, "SIGTERM");
      if (status) reasons = [...judgeExit("server", status), ...reasons];
    }
    await stack?.close();
  }
  return reasons;
}

/** Restarts of Envoy under load. */
export const RESTART_CHECK: Check = {
  title: "Envoy restarts",
  run: envoyRestarts,
};
