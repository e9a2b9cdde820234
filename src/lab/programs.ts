/** The command lines of the project's own programs. */
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

/** A command line that starts a program of the project. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** The programs that a stack starts. */
export type ProgramName = "server" | "client";

/** How deno.json starts a program: the one place for its flags. */
function taskArguments(name: ProgramName): readonly string[] {
  return config.tasks[name].command.split(" ").slice(1);
}

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
    args: [...taskArguments(name), ...args],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
  };
}
