/** Parses what Linux reports in /proc/PID/stat; see proc(5). */

/** Clock ticks per second in /proc; always 100 on Linux. */
export const TICKS_PER_S = 100;

/** One parsed line of /proc/PID/stat. */
export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** One letter; Z and X mean ended. */
  readonly state: string;
  readonly parent: number;
  /** Processor time of the process, in clock ticks. */
  readonly ownTicks: number;
  /** The same, including its ended children. */
  readonly ticks: number;
  /** When it started, in clock ticks since boot. */
  readonly startTicks: number;
}

/** Parses a line; undefined if it is malformed. */
export function statOf(line: string): ProcessStat | undefined {
  // The name is in parentheses and may contain any character.
  const [, pid, name, rest] = /^(\d+) \((.*)\) (.*)$/s.exec(line) ?? [];
  if (pid === undefined || name === undefined) return undefined;
  const fields = (rest ?? "").split(" ");
  // After the name, field 2, the third field has index 0.
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
