/** What Linux tells of a process in /proc/PID/stat; see proc(5). */

/** Clock ticks per second in /proc; Linux shows 100 to every program. */
export const TICKS_PER_S = 100;

/** What one line of /proc/PID/stat says. */
export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** One letter; Z and X have ended. */
  readonly state: string;
  readonly parent: number;
  /** Processor time of the process, in clock ticks. */
  readonly ownTicks: number;
  /** The same with that of its children that have ended. */
  readonly ticks: number;
  /** When it started, in clock ticks after the boot. */
  readonly startTicks: number;
}

/** Reads a line; undefined if it is none. */
export function statOf(line: string): ProcessStat | undefined {
  // The name stands in parentheses and may have any character.
  const [, pid, name, rest] = /^(\d+) \((.*)\) (.*)$/s.exec(line) ?? [];
  if (pid === undefined || name === undefined) return undefined;
  const fields = (rest ?? "").split(" ");
  // Behind the name, which is the second field, the third has the index 0.
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields
    .slice(11, 15).map(Number);
  return {
    pid: Number(pid),
    name,
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    ownTicks: user + system,
    ticks: user + system + childUser + childSystem,
    startTicks: Number(fields[19]),
  };
}
