/** Existing runs: reads their records, lists and removes them. */
import { Failure, messageOf } from "../core/errors.ts";
import { printableDetails } from "../core/printable.ts";
import { readText } from "./files.ts";
import {
  LATEST,
  leadTo,
  RECORD_VERSION,
  RUN_FILES,
  type RunKind,
} from "./run_folder.ts";

/** The fields that every kind of record has. */
export interface RunRecord {
  readonly kind: RunKind;
  readonly version: number;
}

/**
 * Reads a run's record.
 *
 * @param folder As typed by a user.
 * @throws {Failure} `environment` when there is none of this version.
 */
export async function readRecord(folder: string): Promise<RunRecord> {
  const path = `${folder}/${RUN_FILES.record}`;
  const text = await readText(path, "name the folder of a run, in reports/");
  let record: Partial<RunRecord> | null;
  try {
    record = JSON.parse(text);
  } catch (error) {
    throw new Failure(
      "environment",
      `"${path}" is not JSON: ${printableDetails(messageOf(error))}; it is ` +
        "damaged, so make the run again",
      { cause: error },
    );
  }
  if (record?.version !== RECORD_VERSION) {
    const version = JSON.stringify(record?.version) ?? "none";
    throw new Failure(
      "environment",
      `"${path}" is a record of version ${printableDetails(version)}, and ` +
        `this program reads version ${RECORD_VERSION}; use the program that ` +
        "made it, or make the run again",
    );
  }
  return record as RunRecord;
}

/** A run's folder. */
export interface RunFolder {
  readonly name: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** The names of run folders. */
const NAME = /^\d{8}-\d{6}-[a-z0-9-]+$/;

/**
 * The run folders, newest first. A folder with another name, without a record,
 * or with any file not of a run is not one.
 */
export async function runFolders(
  reportsDir: string,
): Promise<readonly RunFolder[]> {
  const entries = await entriesOf(reportsDir);
  const found = await Promise.all(
    entries.filter(({ name, isDirectory }) => isDirectory && NAME.test(name))
      .map(({ name }) => runFolder(reportsDir, name)),
  );
  return found.filter((folder) => folder !== undefined)
    .sort((a, b) => b.name.localeCompare(a.name, "en", { numeric: true }));
}

async function runFolder(
  reportsDir: string,
  name: string,
): Promise<RunFolder | undefined> {
  const entries = await entriesOf(`${reportsDir}/${name}`);
  const files = entries.map((entry) => entry.name);
  const known: readonly string[] = Object.values(RUN_FILES);
  const isOwn = files.includes(RUN_FILES.record) &&
    entries.every((entry) => entry.isFile && known.includes(entry.name));
  if (!isOwn) return undefined;
  const sizes = await Promise.all(
    files.map((file) => Deno.stat(`${reportsDir}/${name}/${file}`)),
  );
  return { name, files, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
}

/** Empty when there is no such folder. */
async function entriesOf(dir: string): Promise<readonly Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(dir));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new Failure(
      "environment",
      `Cannot list "${dir}": ${messageOf(error)}; let this program read it`,
      { cause: error },
    );
  }
}

/**
 * Removes all but the newest runs. If "latest.html" pointed to a removed run,
 * it then redirects to the newest left, or is removed with the last one.
 *
 * @returns The removed runs.
 * @throws {Failure} `environment` when one cannot be removed.
 */
export async function keepNewest(
  reportsDir: string,
  count: number,
): Promise<readonly RunFolder[]> {
  const runs = await runFolders(reportsDir);
  const removed = runs.slice(count);
  const [newest] = runs.slice(0, count);
  try {
    for (const { name, files } of removed) {
      // File by file, so that files added meanwhile are not removed.
      for (const file of files) {
        await Deno.remove(`${reportsDir}/${name}/${file}`);
      }
      await Deno.remove(`${reportsDir}/${name}`);
    }
    const latest = `${reportsDir}/${LATEST}`;
    const html = await Deno.readTextFile(latest).catch(() => "");
    if (removed.some(({ name }) => html.includes(`url=${name}/`))) {
      if (newest === undefined) await Deno.remove(latest);
      else await leadTo(reportsDir, newest.name);
    }
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot remove a run from "${reportsDir}": ${messageOf(error)}; check ` +
        "who owns it",
      { cause: error },
    );
  }
  return removed;
}
