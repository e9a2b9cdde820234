/** Measures, watches and judges the memory of a stack's programs. */
import type { Claim, Judge } from "./experiment.ts";
import { broken, heldIf, measured, measuredBetween, unknown } from "./judge.ts";
import type { RunContext } from "./run_context.ts";
import { pause } from "../io/wait.ts";

/** How often memory is sampled while it is watched. */
const WATCH_INTERVAL_MS = 250;

/** A control must not exhaust this machine's memory. */
const STOP_MIB = 600;

/**
 * Servers that fill their memory, as in controls, collect garbage on all cores:
 * timers were up to 68 ms late on two quiet ones. It is no reason to doubt what
 * a program took.
 */
export const MEMORY_TIMERS_LATE_MS_MAX = 150;

/** What a server may take soon after its peers have gone. */
const BACK_MIB_MAX = 150;

const BACK_MS_MAX = 20_000;

/** The name of a program's memory among the measures. */
function nameOf(program: string): string {
  return `memory of ${program}`;
}

/**
 * Measures "memory of envoy", "memory of server-1" and so on, in MiB.
 *
 * @returns The same, by program name.
 */
export async function measureMemory(
  run: RunContext,
): Promise<ReadonlyMap<string, number>> {
  const memory = await run.stack.memoryMib();
  for (const [program, mib] of memory) run.measure(nameOf(program), mib);
  return memory;
}

/** The memory of each server. */
function serversMib(
  run: RunContext,
  memory: ReadonlyMap<string, number>,
): readonly number[] {
  return run.stack.servers().map(({ name }) => memory.get(name) ?? 0);
}

/**
 * Measures memory four times a second while `work` runs.
 *
 * @param work Its signal is aborted when a server takes too much, or with the
 * run.
 */
export async function whileMemoryIsWatched(
  run: RunContext,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const full = new AbortController();
  const done = new AbortController();
  const watching = (async () => {
    while (!done.signal.aborted) {
      const memory = await measureMemory(run);
      if (Math.max(...serversMib(run, memory)) > STOP_MIB) full.abort();
      await pause(WATCH_INTERVAL_MS, done.signal);
    }
  })();
  try {
    await work(AbortSignal.any([run.signal, full.signal]));
  } finally {
    done.abort();
    await watching;
  }
}

/** Waits until memory is back, for `memoryIsBack`; at the latest, gives up. */
export async function measureMemoryBack(run: RunContext): Promise<void> {
  const startMs = run.elapsedMs();
  while (!run.signal.aborted) {
    const largest = Math.max(...serversMib(run, await measureMemory(run)));
    const tookMs = run.elapsedMs() - startMs;
    if (largest <= BACK_MIB_MAX || tookMs > BACK_MS_MAX) {
      run.measure("memory back after", tookMs);
      return;
    }
    await run.wait(WATCH_INTERVAL_MS);
  }
}

/** Servers give back what peers made them take. */
export const memoryIsBack: Claim = {
  id: "back",
  text: `every server is below ${BACK_MIB_MAX} MiB within ${
    BACK_MS_MAX / 1000
  } s after the peers are gone`,
  judge: measuredBetween("memory back after", { max: BACK_MS_MAX, unit: "ms" }),
};

/** No sample of these programs exceeds `mibMax`. */
export function memoryAtMost(
  programs: readonly string[],
  mibMax: number,
): Judge {
  return (history) => {
    const values = programs.map((one) => measured(history, nameOf(one)));
    const unseen = programs.filter((_, at) => values[at]?.length === 0);
    if (unseen.length > 0) {
      return unknown(`memory of ${unseen.join(", ")} was not measured`);
    }
    const most = values.map((one) => Math.max(...one));
    const words = most.map((mib, at) => `${programs[at]} ${mib.toFixed(0)}`);
    return heldIf(
      most.every((mib) => mib <= mibMax),
      `most in MiB: ${words.join(", ")}`,
    );
  };
}

/**
 * Each of these programs grows by at most `mibMax` from its first measurement.
 * Measure before anything happens, then at every likely peak.
 */
export function memoryGrowsAtMost(
  programs: readonly string[],
  mibMax: number,
): Judge {
  return (history) => {
    const growths = programs.map((program) => {
      const values = measured(history, nameOf(program));
      return Math.max(...values.slice(1)) - (values[0] ?? 0);
    });
    if (!growths.every(Number.isFinite)) {
      return unknown("memory was not measured twice");
    }
    const words = growths.map((mib, at) => `${programs[at]} ${mib.toFixed(1)}`);
    return heldIf(
      growths.every((mib) => mib <= mibMax),
      `grown in MiB: ${words.join(", ")}`,
    );
  };
}

/**
 * Every server is the same process after the run as before it: none has ended
 * or restarted.
 */
export function noServerStartedAgain(): Judge {
  return ({ before, after, durationMs }) => {
    const servers = Object.entries(before.counters);
    const words = servers.flatMap(([name, counters]) => {
      const uptimeMs = after.counters[name]?.uptimeMs;
      if (uptimeMs === undefined) return [`${name} does not answer`];
      // Measured by the servers' clocks, so not exact.
      const isSame = uptimeMs - counters.uptimeMs > durationMs / 2;
      return isSame ? [] : [`${name} has restarted`];
    });
    if (words.length > 0) return broken(words.join(", "));
    return heldIf(servers.length > 0, `${servers.length} servers kept running`);
  };
}

/** That, as a claim. */
export const noServerRestarts: Claim = {
  id: "same",
  text: "no server restarts",
  judge: noServerStartedAgain(),
};
