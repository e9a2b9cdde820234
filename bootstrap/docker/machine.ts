/** What the Docker tools need from the machine, and where they keep files. */
import { fileURLToPath } from "node:url";
import { Failure } from "../../src/core/errors.ts";
import { lastLine, type RunOptions, runToEnd } from "../../src/io/processes.ts";

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Where our engine keeps images, its log and Compose. */
export const DOCKER_FOLDER = `${PROJECT}.tools/docker`;

/** How many seconds apt may wait for another apt to end. */
const APT_LOCK_WAIT_S = 120;

/** How long apt may take for an update or 70 MB of packages. */
const APT_LIMIT_MS = 600_000;

/**
 * Runs a program and expects it to succeed.
 *
 * @returns Its standard output.
 * @throws {Failure} `environment`, with the last line that it printed.
 */
export async function runWell(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await runToEnd(command, args, options);
  if (result.code === 0) return result.stdout;
  const words = args.filter((word) => !word.startsWith("-")).slice(0, 2);
  throw new Failure(
    "environment",
    `"${[command, ...words].join(" ")}" failed: ${lastLine(result)}`,
  );
}

/** Whether we may install packages: root on Debian or a derivative. */
export async function canInstallPackages(): Promise<boolean> {
  return Deno.uid() === 0 && await hasDebianPackages();
}

/** Whether the machine has apt. */
export async function hasDebianPackages(): Promise<boolean> {
  try {
    await Deno.stat("/etc/debian_version");
    return await isThere("apt-get") && await isThere("dpkg-deb");
  } catch {
    return false;
  }
}

/** Whether a program runs here: it is asked for its version. */
export async function isThere(
  command: string,
  question = "--version",
): Promise<boolean> {
  try {
    return (await runToEnd(command, [question])).code === 0;
  } catch {
    return false;
  }
}

/** Updates Debian's package lists. */
export async function updatePackageLists(): Promise<void> {
  await apt(["update"]);
}

/** Installs Debian packages, without recommended ones. */
export async function installPackages(
  names: readonly string[],
): Promise<void> {
  await apt(["install", "--yes", "--no-install-recommends", ...names]);
}

async function apt(args: readonly string[]): Promise<void> {
  await runWell(
    "apt-get",
    ["--quiet", `-oDPkg::Lock::Timeout=${APT_LOCK_WAIT_S}`, ...args],
    {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      timeoutMs: APT_LIMIT_MS,
    },
  );
}

/** A program that was started to outlive us. */
export interface Detached {
  readonly pid: number;
  hasEnded(): boolean;
}

/**
 * Starts a program that outlives us.
 *
 * @param log The file of what it prints.
 */
export function startDetached(
  command: string,
  args: readonly string[],
  log: string,
): Detached {
  // The shell opens the log and then becomes the program, with the same process
  // id.
  const child = new Deno.Command("sh", {
    args: ["-c", 'log=$0; exec "$@" > "$log" 2>&1', log, command, ...args],
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  return { pid: child.pid, hasEnded: () => hasEnded };
}
