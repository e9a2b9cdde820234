/** Finds third-party tools, and fetches those that are missing. */
import { join } from "node:path";
import process from "node:process";
import { Failure } from "../core/errors.ts";
import { kitFolder, projectFolder } from "./build.ts";
import { KIT_PARTS, requireKitFiles } from "./kit.ts";
import { runToEnd } from "./processes.ts";
import {
  advice,
  cannotFetch,
  cannotWrite,
  checkDigest,
} from "./tools/fetch.ts";
import { isExecutableFile, isThere, onPath } from "./tools/path.ts";
import type { ToolRow } from "./tools/row.ts";
import { type ToolName, TOOLS } from "./tools/table.ts";

export type { ToolName } from "./tools/table.ts";

/** A tool at its pinned version, or another that serves as well. */
export interface Tool {
  /** The path of its executable. */
  readonly path: string;
  readonly version: string;
  /**
   * Where it was found: in the kit, in its variable, on PATH, in .tools, or just
   * fetched.
   */
  readonly origin: "kit" | "variable" | "path" | "folder" | "fetched";
}

/** How to find a tool. */
export interface FindOptions {
  /** Receives what is done and what is skipped, a line each. */
  readonly onProgress?: (line: string) => void;
  /** Aborts a fetch, leaving nothing behind. */
  readonly signal?: AbortSignal;
  /** Looks up a variable; the process's environment by default. */
  readonly env?: (name: string) => string | undefined;
  /** The folder of fetched tools; the project's .tools by default. */
  readonly folder?: string;
  /** The interval of progress lines during a fetch; 30,000. */
  readonly progressIntervalMs?: number;
}

const PROGRESS_INTERVAL_MS = 30_000;

/** How long a tool may take to print its version. */
const VERSION_LIMIT_MS = 10_000;

/**
 * Finds a tool at its pinned version, or another that serves as well: in its variable (`ENVOY`, `K6`, `GRPCURL`),
 * on PATH or in .tools; otherwise fetches it into .tools. Several processes may
 * do so at once. In a kit it is the kit's own, and nothing else: a kit fetches
 * nothing.
 *
 * @throws {Failure} `environment` when the variable names something else, or
 * the tool cannot be fetched, or `signal` was aborted; or the kit's is missing
 * or damaged.
 *
 * @example
 * ```ts
 * const envoy = await findTool("envoy", { onProgress: printError });
 * ```
 */
export function findTool(
  name: ToolName,
  options: FindOptions = {},
): Promise<Tool> {
  return findToolOfRow(TOOLS[name], options);
}

/** Like {@linkcode findTool}, for any row. */
export async function findToolOfRow(
  row: ToolRow,
  options: FindOptions = {},
): Promise<Tool> {
  const found = await findInstalled(row, options);
  if (found !== undefined) return found;
  const env = options.env ?? ((name: string) => Deno.env.get(name));
  const onProgress = options.onProgress ?? (() => {});
  const folder = options.folder ?? `${projectFolder()}.tools`;
  const target = targetOf(row, folder);
  await fetchTool(row, target, { ...options, env, onProgress, folder });
  return { path: target, version: row.version, origin: "fetched" };
}

/** Like {@linkcode findTool}, but undefined where it would fetch the tool. */
export function findToolHere(
  name: ToolName,
  options: FindOptions = {},
): Promise<Tool | undefined> {
  return findInstalled(TOOLS[name], options);
}

function targetOf(row: ToolRow, folder: string): string {
  return join(folder, `${row.name}-${row.version}`, row.name);
}

async function findInstalled(
  row: ToolRow,
  options: FindOptions,
): Promise<Tool | undefined> {
  const env = options.env ?? ((name: string) => Deno.env.get(name));
  const onProgress = options.onProgress ?? (() => {});
  const tool = (
    path: string,
    origin: Tool["origin"],
    version = row.version,
  ): Tool => ({ path, version, origin });

  const kit = kitFolder();
  if (kit !== undefined) {
    const part = KIT_PARTS + row.name;
    // What is started beside it runs on the kit's Deno.
    const parts = [`${KIT_PARTS}deno`, part];
    await requireKitFiles(kit, (path) => parts.includes(path), parts);
    return tool(kit + part, "kit");
  }
  const given = env(row.variable);
  if (given !== undefined && given !== "") {
    const { path, version } = await checkGiven(row, given, options.signal);
    return tool(path, "variable", version);
  }
  for (const path of onPath(row.name, env)) {
    const found = await versionOf(row, path, options.signal);
    if (found !== undefined && serves(row, found)) {
      return tool(path, "path", found);
    }
    onProgress(
      found === undefined
        ? `Skipping "${path}": it does not report its version`
        : `Skipping "${path}": it is ${row.title} ${found}, not ${row.version}`,
    );
  }
  const target = targetOf(row, options.folder ?? `${projectFolder()}.tools`);
  if (await isThere(target)) {
    const found = await versionOf(row, target, options.signal);
    if (found === row.version) return tool(target, "folder");
    onProgress(
      `Replacing "${target}": it does not run as ${row.title} ${row.version}`,
    );
  }
  return undefined;
}

function serves(row: ToolRow, version: string): boolean {
  return version === row.version || (row.accepts?.(version) ?? false);
}

async function checkGiven(
  row: ToolRow,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Pick<Tool, "path" | "version">> {
  const remedy = `set it to an executable ${row.title} ${row.version}, ` +
    "or unset it to have one found";
  const refuse = (why: string) =>
    new Failure(
      "environment",
      `${row.variable} is "${path}", ${why}; ${remedy}`,
    );
  if (!await isExecutableFile(path)) {
    throw refuse("which is not an executable file");
  }
  const absolute = await Deno.realPath(path);
  const found = await versionOf(row, absolute, signal);
  if (found === undefined) {
    throw refuse(`which does not run as ${row.title}`);
  }
  if (!serves(row, found)) throw refuse(`which is ${row.title} ${found}`);
  return { path: absolute, version: found };
}

/** The version an executable reports; undefined if it is broken. */
async function versionOf(
  row: ToolRow,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const { code, stdout, stderr } = await runToEnd(path, row.versionArgs, {
      timeoutMs: VERSION_LIMIT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (code !== 0) return undefined;
    return row.versionPattern.exec(`${stdout}\n${stderr}`.trim())?.[1];
  } catch (error) {
    if (signal?.aborted || !(error instanceof Failure)) throw error;
    return undefined;
  }
}

type FetchOptions =
  & FindOptions
  & Required<Pick<FindOptions, "env" | "onProgress" | "folder">>;

/** Fetches a tool into a temporary folder, then moves it to `target`. */
async function fetchTool(
  row: ToolRow,
  target: string,
  options: FetchOptions,
): Promise<void> {
  const { folder, onProgress, signal } = options;
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const digest = row.digests?.[platform];
  if (row.digests !== undefined && digest === undefined) {
    const known = Object.keys(row.digests).join(" and ");
    throw cannotFetch(
      row,
      `it exists for ${known} only, and this is ${platform}; ${advice(row)}`,
    );
  }
  const temp = await makeTempFolder(row, folder);
  const name = `${row.title} ${row.version}`;
  onProgress(
    `Fetching ${name} with ${row.fetchedWith} (about ${row.megabytes} MB) ...`,
  );
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1_000);
  const timer = setInterval(
    () => onProgress(`Fetching ${name} ... ${seconds()} s`),
    options.progressIntervalMs ?? PROGRESS_INTERVAL_MS,
  );
  try {
    const path = await row.fetch(row, {
      folder: temp,
      toolsFolder: folder,
      env: options.env,
      onProgress,
      signal,
    });
    if (digest !== undefined) await checkDigest(row, path, digest);
    const found = await versionOf(row, path, signal);
    if (found !== row.version) {
      throw cannotFetch(
        row,
        `the fetched file does not run on this machine; ${advice(row)}`,
      );
    }
    await put(path, target, row);
  } finally {
    clearInterval(timer);
    await removeFolder(temp);
  }
}

async function makeTempFolder(row: ToolRow, folder: string): Promise<string> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    await removeStaleFolders(folder);
    return await Deno.makeTempDir({
      dir: folder,
      prefix: `tmp-${row.name}-${Deno.pid}-`,
    });
  } catch (error) {
    throw cannotWrite(folder, row, error);
  }
}

/** Moves a fetched file into place. */
async function put(path: string, target: string, row: ToolRow): Promise<void> {
  const folder = join(target, "..");
  try {
    await Deno.mkdir(folder, { recursive: true });
    // The rename replaces a file, even one that a faster process put there, but
    // not a folder.
    const old = await Deno.lstat(target).catch(() => undefined);
    if (old?.isDirectory) await removeFolder(target);
    await Deno.rename(path, target);
  } catch (error) {
    throw cannotWrite(folder, row, error);
  }
}

/** Removes what processes killed during a fetch have left. */
async function removeStaleFolders(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const [, pid] = /^tmp-.+?-([0-9]+)(?:-|$)/.exec(entry.name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) {
      // Another user's folders are not ours to remove.
      await removeFolder(join(folder, entry.name)).catch(() => {});
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process exists but belongs to another user.
    return (error as { code?: unknown }).code === "EPERM";
  }
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
