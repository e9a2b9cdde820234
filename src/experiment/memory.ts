/** How much memory a stack's programs take: measured, watched, judged. */
import type { Judge } from "./experiment.ts";
import { broken, heldIf, measured, unknown } from "./judge.ts";
import type { RunContext } from "./run_context.ts";
import { pause } from "../io/wait.ts";

/** How often memory is looked at while it is watched. */
const WATCH_INTERVAL_MS = 250;

/** What the memory of a program is called among the measures. */
function nameOf(program: string): string {
  return `memory of ${program}`;
}

/**
 * Measures "memory of envoy", "memory of server-1" and so on, in MiB, now.
 *
 * @returns The same, by the names of programs.
 */
export async function measureMemory(
  run: RunContext,
): Promise<ReadonlyMap<string, number>> {
  const memory = await run.stack.memoryMib();
  for (const [program, mib] of memory) run.measure(nameOf(program), mib);
  return memory;
}

/** What servers take of a stack's memory. */
function serversMib(
  run: RunContext,
  memory: ReadonlyMap<string, number>,
): readonly number[] {
  return run.stack.servers().map(({ name }) => memory.get(name) ?? 0);
}

/**
 * Measures memory four times a second while something goes on.
 *
 * @param stopMib Whoever works is told to stop when a server takes so much:
 * a control must not take what this machine has.
 * @param work Is given a signal that is aborted then, or with the run.
 */
export async function whileMemoryIsWatched(
  run: RunContext,
  stopMib: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const full = new AbortController();
  const done = new AbortController();
  const watching = (async () => {
    while (!done.signal.aborted) {
      const memory = await measureMemory(run);
      if (Math.max(...serversMib(run, memory)) > stopMib) full.abort();
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

/**
 * Waits until every server takes at most so much memory again, and measures
 * after how long that is: "memory back after", in milliseconds; `limitMs` and
 * more when it is not by then.
 */
export async function measureMemoryBack(
  run: RunContext,
  mibMax: number,
  limitMs: number,
): Promise<void> {
  const startMs = run.elapsedMs();
  while (!run.signal.aborted) {
    const largest = Math.max(...serversMib(run, await measureMemory(run)));
    const tookMs = run.elapsedMs() - startMs;
    if (largest <= mibMax || tookMs > limitMs) {
      run.measure("memory back after", tookMs);
      return;
    }
    await run.wait(WATCH_INTERVAL_MS);
  }
}

/** None of these programs was ever seen to take more memory. */
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
 * Since it was first measured, each of these programs has grown by at most so
 * much. Measure before anything happens, then whenever it may be the most.
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
 * Every server that ran before the run is the same process after it: none has
 * ended, also not in order to start again.
 */
export function noServerStartedAgain(): Judge {
  return ({ before, after, durationMs }) => {
    const servers = Object.entries(before.counters);
    const words = servers.flatMap(([name, counters]) => {
      const uptimeMs = after.counters[name]?.uptimeMs;
      if (uptimeMs === undefined) return [`${name} does not answer`];
      // By the servers' clocks, so not to the millisecond.
      const isSame = uptimeMs - counters.uptimeMs > durationMs / 2;
      return isSame ? [] : [`${name} has started again`];
    });
    if (words.length > 0) return broken(words.join(", "));
    return heldIf(servers.length > 0, `${servers.length} servers run on`);
  };
}
