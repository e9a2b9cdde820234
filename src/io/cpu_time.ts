/** Processor time of this machine and of the processes we started. */
import process from "node:process";
import { statOf } from "./process_stat.ts";
import { runToEnd } from "./processes.ts";

/** Processor time since the machine started, in clock ticks of all cores. */
export interface CpuTime {
  /** Everything, idle time included. */
  readonly total: number;
  /** Used by programs and the kernel. */
  readonly busy: number;
  /** Stolen by a virtual machine's host. */
  readonly stolen: number;
  /**
   * Used by this program and each running descendant, by process id, including
   * ended children.
   */
  readonly own: ReadonlyMap<number, number>;
}

/** Docker's and Kubernetes' programs run for us without being our descendants. */
const OURS_BY_NAME =
  /^(kube|etcd|coredns|dockerd|containerd|containerd-shim|docker-proxy|grpc-server|grpc-client|envoy|tini|docker-init)/;

/** Sums up the first line of /proc/stat. */
export function machineTime(line: string): Omit<CpuTime, "own"> {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = line
    .split(/\s+/).slice(1, 9).map(Number);
  const [irq = 0, softIrq = 0, stolen = 0] = rest;
  const busy = user + nice + system + irq + softIrq;
  return { total: busy + idle + wait + stolen, busy, stolen };
}

/**
 * Prints the first line of /proc/stat and every process's line. A shell does it
 * because Deno lets only a program with all permissions read /proc.
 */
const SCRIPT = "head -n 1 /proc/stat; cat /proc/[0-9]*/stat 2>/dev/null; :";

const SCRIPT_LIMIT_MS = 5000;

/** The processor time so far; undefined where there is no /proc. */
export async function cpuTime(): Promise<CpuTime | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const { stdout } = await runToEnd("sh", ["-c", SCRIPT], {
    timeoutMs: SCRIPT_LIMIT_MS,
  });
  const [first = "", ...lines] = stdout.split("\n");
  const processes = lines.flatMap((line) => statOf(line) ?? []);
  const own = new Set([process.pid]);
  // Parents have smaller ids than their children, except after a wrap-around.
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

/** What our processes used between two samples, in clock ticks. */
export function ownBetween(
  before: Pick<CpuTime, "own">,
  after: Pick<CpuTime, "own">,
): number {
  return [...after.own].reduce(
    (sum, [pid, ticks]) => sum + ticks - (before.own.get(pid) ?? 0),
    0,
  );
}
