/** Processor time of this machine and of what we have started on it. */
import process from "node:process";
import { statOf } from "./process_stat.ts";
import { runToEnd } from "./processes.ts";

/** Processor time since the machine started, in clock ticks of all cores. */
export interface CpuTime {
  /** All that there was, idle time too. */
  readonly total: number;
  /** Taken by programs and the kernel. */
  readonly busy: number;
  /** Taken by the host of a virtual machine. */
  readonly stolen: number;
  /**
   * Taken by this program and each of its descendants that runs, by process,
   * with what children took that have ended.
   */
  readonly own: ReadonlyMap<number, number>;
}

/** Programs that run for us without being our descendants: Docker's. */
const OURS_BY_NAME =
  /^(dockerd|containerd|containerd-shim|docker-proxy|grpc-server|grpc-client|envoy|tini|docker-init)/;

/** The first line of /proc/stat in sums. */
export function machineTime(line: string): Omit<CpuTime, "own"> {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = line
    .split(/\s+/).slice(1, 9).map(Number);
  const [irq = 0, softIrq = 0, stolen = 0] = rest;
  const busy = user + nice + system + irq + softIrq;
  return { total: busy + idle + wait + stolen, busy, stolen };
}

/**
 * Prints the first line of /proc/stat and the one of every process. Deno lets
 * only a program that may do everything read /proc itself.
 */
const SCRIPT = "head -n 1 /proc/stat; cat /proc/[0-9]*/stat 2>/dev/null; :";

const SCRIPT_LIMIT_MS = 5000;

/** The processor time until now; undefined where there is no /proc. */
export async function cpuTime(): Promise<CpuTime | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const { stdout } = await runToEnd("sh", ["-c", SCRIPT], {
    timeoutMs: SCRIPT_LIMIT_MS,
  });
  const [first = "", ...lines] = stdout.split("\n");
  const processes = lines.flatMap((line) => statOf(line) ?? []);
  const own = new Set([process.pid]);
  // Parents have smaller numbers than their children, but for a wrap-around.
  for (let before = 0; before < own.size;) {
    before = own.size;
    for (const { pid, parent, name } of processes) {
      if (own.has(parent) || OURS_BY_NAME.test(name)) own.add(pid);
    }
  }
  return {
    ...machineTime(first),
    own: new Map(
      processes.filter(({ pid }) => own.has(pid))
        .map(({ pid, ticks }) => [pid, ticks]),
    ),
  };
}

/** What our processes have taken between two moments, in clock ticks. */
export function ownBetween(
  before: Pick<CpuTime, "own">,
  after: Pick<CpuTime, "own">,
): number {
  return [...after.own].reduce(
    (sum, [pid, ticks]) => sum + ticks - (before.own.get(pid) ?? 0),
    0,
  );
}
