/** What can be built: the programs, and their platforms. */
import config from "../../deno.json" with { type: "json" };

/** The programs, in the order in which they are built. */
export const PROGRAMS = ["server", "client", "lab"] as const;

/** A program that can be built. */
export type Program = typeof PROGRAMS[number];

/** The platforms, as `deno compile` names them. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/** A platform that can be built for. */
export type Target = typeof TARGETS[number];

/** The name of a program's binary. */
export function binaryName(program: Program, target: Target): string {
  return `grpc-${program}${target.includes("windows") ? ".exe" : ""}`;
}

/**
 * The name of the archive with a platform's binaries, without its extension.
 */
export function archiveName(target: Target): string {
  return `grpc-demo-${config.version}-${target}`;
}

/**
 * Makes a flag parser for a comma-separated list of names.
 *
 * @param names The known names.
 * @returns A parser that returns them in the order of `names`; "all" means all.
 */
export function namesOf<T extends string>(
  names: readonly T[],
): (text: string) => readonly T[] {
  return (text) => {
    const asked = text === "all" ? names : text.split(",");
    const found = names.filter((name) => asked.includes(name));
    if (found.length === 0 || found.length !== asked.length) {
      throw new RangeError(
        `must be all, or a comma-separated list of ${names.join(", ")}`,
      );
    }
    return found;
  };
}
