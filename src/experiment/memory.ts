/**
 * Resident memory of a native stack's programs, as the system's `ps` shows it:
 * no program need count its own, and it is the figure that a container's limit
 * is compared with.
 */
import { runToEnd } from "../io/processes.ts";
import type { Stack } from "../stack/stack.ts";
import type { Judge } from "./experiment.ts";
import { heldIf, measured, unknown } from "./judge.ts";
import type { RunContext } from "./run_context.ts";

const KIB_PER_MIB = 1024;

const PS_TIMEOUT_MS = 5000;

/** What one program holds. */
export interface Memory {
  /** "envoy" or a server's name. */
  readonly program: string;
  readonly mib: number;
}

/** How a program's command line is known among all others of the machine. */
function marksOf(
  stack: Pick<Stack, "endpoint" | "servers">,
): ReadonlyMap<string, string> {
  const port = stack.endpoint.split(":").at(-1);
  const servers = stack.servers().map(({ name, address }) => {
    const [host, ownPort] = address.split(":");
    return [name, `--host ${host} --port ${ownPort} `] as const;
  });
  return new Map([["envoy", `"port_value":${port}}`], ...servers]);
}

/**
 * Finds a stack's programs among all processes.
 *
 * @param table Lines of KiB and command line, as `ps` prints them.
 */
export function memoryIn(
  table: string,
  stack: Pick<Stack, "endpoint" | "servers">,
): readonly Memory[] {
  const lines = table.split("\n");
  return [...marksOf(stack)].flatMap(([program, mark]) => {
    const line = lines.find((one) => one.includes(mark));
    const kib = Number.parseInt(line?.trim() ?? "", 10);
    return Number.isNaN(kib) ? [] : [{ program, mib: kib / KIB_PER_MIB }];
  });
}

/**
 * Measures "memory of envoy", "memory of server-1" and so on, in MiB, now.
 * Programs in containers are not seen: nothing is measured then.
 */
export async function measureMemory(run: RunContext): Promise<void> {
  const { stdout } = await runToEnd("ps", ["-axww", "-o", "rss=,args="], {
    timeoutMs: PS_TIMEOUT_MS,
  });
  for (const { program, mib } of memoryIn(stdout, run.stack)) {
    run.measure(`memory of ${program}`, mib);
  }
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
      const values = measured(history, `memory of ${program}`);
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
