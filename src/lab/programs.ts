/** The command lines of the project's own programs. */
import { fileURLToPath } from "node:url";

/** A command line that starts a program of the project. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** The programs that a stack starts. */
export type ProgramName = "server" | "client";

/**
 * How to start a program: from source with its set of permissions, or, when
 * this program is a compiled binary, the binary of that name beside it.
 */
export function programCommand(
  name: ProgramName,
  args: readonly string[],
): ProgramCommand {
  if (Deno.build.standalone) {
    const here = Deno.execPath().replace(/[^/\\]+$/, "");
    return { command: `${here}grpc-${name}`, args, cwd: Deno.cwd() };
  }
  return {
    command: Deno.execPath(),
    args: ["run", "-q", `-P=${name}`, `src/${name}.ts`, ...args],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
  };
}
