/**
 * Run folders: one per run, with its record and its page, and beside them a
 * page that redirects to the newest.
 */
import { basename, dirname } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";

/** Where runs leave their folders, relative to the working folder. */
export const REPORTS = "reports";

/** The page that redirects to the newest run's. */
export const LATEST = "latest.html";

/**
 * The files of a run's folder. k6 makes the last two: one for longer runs, and
 * one that is there until the record is.
 */
export const RUN_FILES = {
  record: "record.json",
  page: "report.html",
  dashboard: "dashboard.html",
  k6: "k6.json",
} as const;

/** Increased when earlier programs could no longer read a record. */
export const RECORD_VERSION = 2;

/** What a record is about. */
export type RunKind = "experiments" | "load" | "comparison";

/** At most this many runs may begin in the same second. */
const TRIES_MAX = 100;

/**
 * Makes a folder for a run, "20261124-031500-load-constant-rate", beside those
 * of earlier runs; none is ever overwritten.
 *
 * @returns Its path.
 * @throws {Failure} `environment` when it cannot be made.
 */
export async function makeRunFolder(
  reportsDir: string,
  name: string,
  now: Date = new Date(),
): Promise<string> {
  const path = `${reportsDir}/${timestamp(now)}-${name}`;
  try {
    await Deno.mkdir(reportsDir, { recursive: true });
    for (let number = 1; number <= TRIES_MAX; number += 1) {
      const own = number === 1 ? path : `${path}-${number}`;
      if (await isMade(own)) return own;
    }
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot make a folder for reports in "${reportsDir}": ${
        messageOf(error)
      }; choose one within reports/ that can be written`,
      { cause: error },
    );
  }
  throw new Failure(
    "environment",
    `"${path}" exists ${TRIES_MAX} times; remove some`,
  );
}

/**
 * Checks, before a run of minutes, that it can leave a folder in `reportsDir`.
 *
 * @throws {Failure} `environment` when it cannot.
 */
export async function requireReports(reportsDir: string): Promise<void> {
  await Deno.remove(await makeRunFolder(reportsDir, "trial"));
}

async function isMade(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/** What a run leaves behind. */
export interface RunFiles {
  readonly kind: RunKind;
  /** All measurements; the page can be made again from them. */
  readonly record: object;
  /** HTML. */
  readonly page: string;
}

/**
 * Writes a run's record and then its page into its folder, and redirects
 * "latest.html" there.
 *
 * @returns The page's path.
 * @throws {Failure} `environment` when they cannot be written.
 */
export async function fillRunFolder(
  folder: string,
  { kind, record, page }: RunFiles,
): Promise<string> {
  const path = `${folder}/${RUN_FILES.page}`;
  const text = JSON.stringify({ kind, version: RECORD_VERSION, ...record });
  await writing(path, async () => {
    await Deno.writeTextFile(`${folder}/${RUN_FILES.record}`, `${text}\n`);
    await Deno.writeTextFile(path, page);
    await leadTo(dirname(folder), basename(folder));
  });
  return path;
}

/**
 * Writes the page of a run again.
 *
 * @returns Its path.
 * @throws {Failure} `environment` when it cannot be written.
 */
export async function rewritePage(
  folder: string,
  page: string,
): Promise<string> {
  const path = `${folder}/${RUN_FILES.page}`;
  await writing(path, () => Deno.writeTextFile(path, page));
  return path;
}

async function writing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write the report "${path}": ${messageOf(error)}; make room, or ` +
        "choose a folder within reports/, where this program may write",
      { cause: error },
    );
  }
}

/**
 * Redirects "latest.html" to a run's page. (A symbolic link would need
 * permission to write everywhere.)
 */
export async function leadTo(reportsDir: string, name: string): Promise<void> {
  // Two runs may end at once, and no half-written page may be seen.
  const latest = `${reportsDir}/${LATEST}`;
  const temporary = `${latest}.${crypto.randomUUID()}`;
  const html = latestHtml(`${name}/${RUN_FILES.page}`);
  await Deno.writeTextFile(temporary, html);
  await Deno.rename(temporary, latest);
}

/** Makes a folder for a run that has ended, and fills it. */
export async function writeRun(
  reportsDir: string,
  name: string,
  files: RunFiles,
): Promise<string> {
  return await fillRunFolder(await makeRunFolder(reportsDir, name), files);
}

function latestHtml(page: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=${page}">
<title>The latest report</title>
<p><a href="${page}">The latest report</a></p>
</html>
`;
}

/** "20261124-031500": sorts by time and is a valid file name everywhere. */
function timestamp(now: Date): string {
  return now.toISOString().slice(0, 19).replace(/[-:]/g, "")
    .replace("T", "-");
}
