/** Reads the resident memory of programs from `ps`. */
import { runToEnd } from "../io/processes.ts";
import { docker } from "./docker.ts";

const KIB_PER_MIB = 1024;

const PS_TIMEOUT_MS = 5000;

/**
 * The resident memory of programs in MiB.
 *
 * @param programs Each with its process id, or none if it is not running.
 * @returns By name; a program that has ended is missing.
 */
export async function residentMib(
  programs: readonly {
    readonly name: string;
    readonly pid: number | undefined;
  }[],
): Promise<ReadonlyMap<string, number>> {
  const list = programs.flatMap(({ pid }) => pid ?? []).join(",");
  const { stdout } = await runToEnd("ps", ["-o", "pid=,rss=", "-p", list], {
    timeoutMs: PS_TIMEOUT_MS,
  });
  const kib = new Map(residentKib(stdout));
  return new Map(programs.flatMap(({ name, pid }) => {
    const own = pid === undefined ? undefined : kib.get(pid);
    return own === undefined ? [] : [[name, own / KIB_PER_MIB] as const];
  }));
}

/**
 * The resident memory of containers' programs in MiB: that of the largest
 * process in each, since the other is its small init process.
 *
 * @throws {Failure} `environment` when one of them is not running.
 */
export async function containersMib(
  containers: readonly { readonly name: string; readonly id: string }[],
): Promise<ReadonlyMap<string, number>> {
  return new Map(
    await Promise.all(containers.map(async ({ name, id }) => {
      const table = await docker(["top", id, "-eo", "pid,rss"]);
      const kib = Math.max(...residentKib(table).map(([, one]) => one));
      return [name, kib / KIB_PER_MIB] as const;
    })),
  );
}

/** Reads process ids and KiB from the output of `ps`, without headings. */
export function residentKib(
  table: string,
): readonly (readonly [pid: number, kib: number])[] {
  return [...table.matchAll(/^ *(\d+) +(\d+) *$/gm)]
    .map(([, pid, kib]) => [Number(pid), Number(kib)] as const);
}
