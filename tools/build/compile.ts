/** Bundling a program, and compiling the bundle. */
import config from "../../deno.json" with { type: "json" };
import { Failure } from "../../src/core/errors.ts";
import { lastLine, type RunResult, runToEnd } from "../../src/io/processes.ts";
import { type Build, BUILD_GLOBAL } from "../../src/io/build.ts";
import { PROJECT } from "../../bootstrap/docker/machine.ts";
import { permissionFlags, permissionSet } from "./permissions.ts";
import { binaryName, type Program, type Target } from "./targets.ts";

/**
 * The time of all files in binaries and archives: the first day that every
 * archive format can store. With the build's time, no two builds would give the
 * same bytes.
 */
export const FILE_TIME: Date = new Date("1980-01-01T00:00:00Z");

/** Bundling takes a second, and longer when npm packages are fetched. */
const BUNDLE_LIMIT_MS = 300_000;

/** Compiling takes a second, and longer when Deno downloads 40 MB. */
const COMPILE_LIMIT_MS = 900_000;

/**
 * The commit checked out in the project's folder, with "-dirty" when files
 * differ from it; "unknown" when git cannot tell.
 */
export async function currentCommit(): Promise<string> {
  try {
    const { code, stdout } = await runToEnd("git", [
      ...["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
    ], { cwd: PROJECT });
    return code === 0 ? stdout.trim() : "unknown";
  } catch (error) {
    if (error instanceof Failure) return "unknown"; // There is no git.
    throw error;
  }
}

/**
 * Bundles a program for its binary.
 *
 * @param folder Where the bundle is written.
 * @returns The bundle's name in the folder.
 * @throws {Failure} `environment` when it cannot be made.
 */
export async function bundle(
  program: Program,
  folder: string,
  { commit, signal }: { readonly commit: string; readonly signal: AbortSignal },
): Promise<string> {
  const name = `${program}.mjs`;
  const build: Build = { commit, files: await filesFor(program) };
  await bundleSource(`src/${program}.ts`, `${folder}/${name}`, {
    build: JSON.stringify(build),
    signal,
  });
  return name;
}

/**
 * Bundles a source file and its imports into one file. Minification makes it
 * smaller, and removes the paths of this machine's npm cache.
 *
 * @param source Its path in the project's folder.
 * @param output The path of the bundle.
 * @param options `build` is a JavaScript expression for a {@linkcode Build}.
 * @throws {Failure} `environment` when it cannot be made.
 */
export async function bundleSource(
  source: string,
  output: string,
  { build, signal }: { readonly build: string; readonly signal: AbortSignal },
): Promise<void> {
  const result = await runToEnd(
    Deno.execPath(),
    ["bundle", "--quiet", "--minify", "--output", output, source],
    { cwd: PROJECT, signal, timeoutMs: BUNDLE_LIMIT_MS, env: PLAIN },
  );
  if (result.code !== 0) throw failed(`bundle ${source}`, result);
  const text = await Deno.readTextFile(output);
  const global = `globalThis.${BUILD_GLOBAL}=${build};`;
  await Deno.writeTextFile(output, `${global}\n${text}`);
  // Deno writes the file's modification time into the binary.
  await Deno.utime(output, FILE_TIME, FILE_TIME);
}

/** What k6 reads: its scripts, their imports, and the .proto files. */
const K6_FILES = ["loadtest", "src/core", "proto"];

/** The files embedded in a program's binary. */
async function filesFor(
  program: Program,
): Promise<NonNullable<Build["files"]>> {
  if (program !== "lab") return {};
  const paths: string[] = [];
  const add = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(PROJECT + path)) {
      if (isDirectory) add(`${path}/${name}`);
      else if (/(?<!_test)\.(js|ts|proto)$/.test(name)) {
        paths.push(`${path}/${name}`);
      }
    }
  };
  K6_FILES.forEach(add);
  // Sorted: a folder lists its files in any order.
  const entries = paths.sort().map(async (path) =>
    [path, await Deno.readTextFile(PROJECT + path)] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** The options of a compilation. */
export interface CompileOptions {
  readonly program: Program;
  readonly target: Target;
  /** The folder with the bundle, and the bundle's name in it. */
  readonly folder: string;
  readonly bundle: string;
  /** The runtime's file (default: Deno's own). */
  readonly denort?: string;
  /** The Deno that compiles (default: the one that runs us). */
  readonly deno?: string;
  /** The path of the binary. */
  readonly output: string;
  readonly signal: AbortSignal;
}

/**
 * Compiles a bundle with the program's permissions.
 *
 * @throws {Failure} `environment` when it cannot be compiled.
 */
export async function compile(options: CompileOptions): Promise<void> {
  const { program, target, folder, denort, output, signal } = options;
  // An interrupted Deno leaves an unfinished file.
  const binary = binaryName(program, target);
  const result = await runToEnd(
    options.deno ?? Deno.execPath(),
    [
      ...["compile", "--quiet", "--no-check", "--no-config", "--no-prompt"],
      // The code cache would save 10 ms per start and leave a file in /tmp.
      "--no-code-cache",
      ...v8Flags(program),
      ...permissionFlags(permissionSet(program)),
      ...["--target", target, "--output", binary, options.bundle],
    ],
    {
      cwd: folder,
      signal,
      timeoutMs: COMPILE_LIMIT_MS,
      env: {
        ...PLAIN,
        ...(denort === undefined ? {} : { DENORT_BIN: denort }),
      },
    },
  );
  if (result.code !== 0) {
    throw failed(`compile ${program} for ${target}`, result);
  }
  await Deno.rename(`${folder}/${binary}`, output);
}

/** The V8 flags with which the program also runs from source. */
function v8Flags(program: Program): readonly string[] {
  const tasks: Readonly<Record<string, { readonly command: string }>> =
    config.tasks;
  const task = program === "lab" ? "up" : program;
  const words = tasks[task]?.command.split(" ") ?? [];
  return words.filter((word) => word.startsWith("--v8-flags="));
}

/** Deno's errors without colours. */
const PLAIN = { NO_COLOR: "1" };

function failed(what: string, result: RunResult): Failure {
  // Deno's innermost cause says most; a list of addresses follows it.
  const causes = [...result.stderr.matchAll(/^ +(?:\d+: )?(\w.+ .+)$/gm)];
  const why = causes.at(-1)?.[1] ?? lastLine(result);
  return new Failure(
    "environment",
    `Cannot ${what} with Deno ${config.toolVersions.deno}: ${why}`,
  );
}
