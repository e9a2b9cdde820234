/** The command lines of the project's own programs. */
import { basename } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { EXIT_CODES, Failure } from "../core/errors.ts";
import { kitFolder, projectFolder } from "../io/build.ts";
import { type ExitStatus, exitWords } from "../io/child.ts";
import { lastLine, runToEnd } from "../io/processes.ts";

/** A command line that starts a program of the project. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** It takes a second; a busy machine needs much longer. */
const BUNDLE_LIMIT_MS = 60_000;

/** The programs that a stack starts. */
export type ProgramName = "server" | "client";

/**
 * A program's flags come from deno.json, the one place for them.
 *
 * @param source A file that is run in the program's place, with its flags.
 */
function taskArguments(name: ProgramName, source?: string): readonly string[] {
  const own = `src/${name}.ts`;
  const words = config.tasks[name].command.split(" ").slice(1)
    .map((word) => word === own ? source ?? own : word);
  if (kitFolder() === undefined) return words;
  return words.flatMap((word) =>
    word === "run"
      ? ["run", "--cached-only"] // Nothing is fetched in a kit.
      : word.endsWith(".ts")
      ? kitProgram(word)
      : word
  );
}

/**
 * Where a kit has a program, bundled into one file.
 *
 * @param source Its file in the project's folder, for example "src/server.ts".
 * @returns A path in the kit's folder, for example "app/server.js".
 */
export function kitProgram(source: string): string {
  return `app/${basename(source, ".ts")}.js`;
}

/**
 * How to start another program in place of a server, with a server's flags and,
 * from source, its permissions. The compiled lab contains it.
 *
 * @param source Its file, relative to the project's folder.
 */
export function serverInstead(
  source: string,
  args: readonly string[],
): ProgramCommand {
  const server = programCommand("server", args);
  if (!Deno.build.standalone) {
    return { ...server, args: [...taskArguments("server", source), ...args] };
  }
  const v8Flags = taskArguments("server")
    .find((word) => word.startsWith("--v8-flags="));
  return {
    ...server,
    command: Deno.execPath(),
    args: [source, ...args],
    env: { DENO_V8_FLAGS: v8Flags?.replace("--v8-flags=", "") ?? "" },
  };
}

/**
 * With these flags the same code runs on every Deno: 2.7 has no stable text
 * imports, and permission sets are not under test here.
 */
const OTHER_DENO_FLAGS = ["run", "-q", "-A", "--unstable-raw-imports"];

/**
 * How to start a program with another, possibly older Deno.
 *
 * @param deno The path of its executable.
 * @param args Deno's flags, then the program's file, relative to the project's
 * folder, and its arguments.
 */
export function otherDenoCommand(
  deno: string,
  args: readonly string[],
): ProgramCommand {
  return {
    command: deno,
    args: [...OTHER_DENO_FLAGS, ...args],
    cwd: projectFolder(),
  };
}

/**
 * Bundles a program and all its imports into one file.
 *
 * @param source Its file, relative to the project's folder.
 * @throws {Failure} `environment` when that fails.
 */
export async function bundleProgram(
  source: string,
  path: string,
): Promise<void> {
  const result = await runToEnd(Deno.execPath(), [
    ...["bundle", "--quiet", "--platform", "deno", "--output", path, source],
  ], { cwd: projectFolder(), timeoutMs: BUNDLE_LIMIT_MS });
  if (result.code !== 0) {
    throw new Failure(
      "environment",
      `Cannot bundle "${source}": ${lastLine(result)}`,
    );
  }
  await Deno.chmod(path, 0o644); // A container's user must be able to read it.
}

/**
 * How to start a program: from source with its permissions, or, if this program
 * is a compiled binary, the binary of that name next to it.
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
    cwd: projectFolder(),
  };
}

/** The failure of a part that has ended and that the others need. */
export function endFailure(who: string, status: ExitStatus): Failure {
  return new Failure(
    "failed",
    `${who} ended unexpectedly (${exitWords(status)}), so everything was ` +
      "stopped; its last lines are above",
  );
}

/** What a program says last when its flags or its variables are wrong. */
const HELP_HINT = "--help lists the flags";

/**
 * The failure of a program that ended during its start, in its own words.
 *
 * @param who Its name in the stack.
 * @param lines What it printed.
 */
export function startFailure(
  name: ProgramName,
  who: string,
  status: ExitStatus,
  lines: readonly string[],
): Failure {
  const prefix = `${name}: `;
  const own = lines.filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length))
    .filter((line) => line !== HELP_HINT);
  const reason = own.join("; ") || (lines.at(-1) ?? "it printed nothing");
  return new Failure(
    status.code === EXIT_CODES.usage ? "usage" : "environment",
    // Whoever starts a stack knows the server's flag by another name.
    `${who} did not start (${exitWords(status)}): ${
      name === "server"
        ? reason.replace(/ with --port$/, " with --server-port")
        : reason
    }`,
  );
}
