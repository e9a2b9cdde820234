/** The command lines of the project's own programs. */
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { EXIT_CODES, Failure } from "../core/errors.ts";
import { type ExitStatus, exitWords } from "../io/child.ts";
import { runToEnd } from "../io/processes.ts";

/** A command line that starts a program of the project. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A second; a busy machine needs much longer. */
const BUNDLE_LIMIT_MS = 60_000;

/** The programs that a stack starts. */
export type ProgramName = "server" | "client";

/** How deno.json starts a program: the one place for its flags. */
function taskArguments(name: ProgramName): readonly string[] {
  return config.tasks[name].command.split(" ").slice(1);
}

/** The project's folder. */
const FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/**
 * How to start another program in a server's place, with the flags of a server
 * and, from source, its permissions. The compiled lab has it inside.
 *
 * @param source Its file, from the project's folder.
 */
export function serverInstead(
  source: string,
  args: readonly string[],
): ProgramCommand {
  const server = programCommand("server", args);
  if (!Deno.build.standalone) {
    return {
      ...server,
      args: server.args.map((word) => word === "src/server.ts" ? source : word),
    };
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
 * Sets of permissions are not what is tested, and Deno 2.7 lacks a stable
 * import of text; with these the same code runs on each.
 */
const OTHER_DENO_FLAGS = ["run", "-q", "-A", "--unstable-raw-imports"];

/**
 * How to start a program with another Deno than ours, which may be older.
 *
 * @param deno The path of its executable.
 * @param args Flags of Deno, then the program's file, from the project's
 * folder, and its arguments.
 */
export function otherDenoCommand(
  deno: string,
  args: readonly string[],
): ProgramCommand {
  return { command: deno, args: [...OTHER_DENO_FLAGS, ...args], cwd: FOLDER };
}

/**
 * Makes one file of a program and all that it imports.
 *
 * @param source Its file, from the project's folder.
 * @throws {Failure} `environment` when that fails.
 */
export async function bundleProgram(
  source: string,
  path: string,
): Promise<void> {
  const { code, stderr } = await runToEnd(Deno.execPath(), [
    ...["bundle", "--quiet", "--platform", "deno", "--output", path, source],
  ], { cwd: FOLDER, timeoutMs: BUNDLE_LIMIT_MS });
  if (code !== 0) {
    throw new Failure(
      "environment",
      `Cannot bundle "${source}": ${stderr.trim().split("\n").at(-1)}`,
    );
  }
  await Deno.chmod(path, 0o644); // For the user in a container.
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
    cwd: FOLDER,
  };
}

/** What a program says last when its flags or its variables are wrong. */
const HELP_HINT = "--help lists the flags";

/**
 * The failure of a program of the project that has ended while it started, in
 * its own words.
 *
 * @param who Its name in the stack.
 * @param lines What it has printed.
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
    // The flag of whoever starts a stack has another name than the server's.
    `${who} did not start (${exitWords(status)}): ${
      name === "server"
        ? reason.replace(/ with --port$/, " with --server-port")
        : reason
    }`,
  );
}
