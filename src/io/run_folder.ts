/**
 * Folders of runs: one for each, with its record and its page, and beside them
 * a page that leads to the newest.
 */
import { basename } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";

/** The page that leads to the newest run's. */
const LATEST = "latest.html";

/** So many runs begin in the same second at most. */
const TRIES_MAX = 100;

/**
 * Makes a folder for a run, "20261124-031500-load-constant-rate", beside those of
 * earlier runs; none is ever written over.
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
    `"${path}" is there ${TRIES_MAX} times; remove some of them`,
  );
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

/** What a run leaves. */
export interface RunFiles {
  /** JSON: all that was measured, from which the page can be made again. */
  readonly record: string;
  /** HTML. */
  readonly page: string;
}

/**
 * Writes a run's "record.json" and then its "report.html" into its folder, and
 * lets "latest.html" beside the folders lead there. (A link in the file system
 * would need leave to write everywhere.)
 *
 * @returns The page's path.
 * @throws {Failure} `environment` when they cannot be written.
 */
export async function fillRunFolder(
  folder: string,
  { record, page }: RunFiles,
): Promise<string> {
  const path = `${folder}/report.html`;
  try {
    await Deno.writeTextFile(`${folder}/record.json`, record);
    await Deno.writeTextFile(path, page);
    // Two runs may end at once, and nobody shall read half a page.
    const latest = `${folder}/../${LATEST}`;
    const temporary = `${latest}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(
      temporary,
      latestHtml(`${basename(folder)}/report.html`),
    );
    await Deno.rename(temporary, latest);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write the report "${path}": ${messageOf(error)}; make room, or ` +
        "let this program write there",
      { cause: error },
    );
  }
  return path;
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

/** "20261124-031500": sorts by time, and is a file's name everywhere. */
function timestamp(now: Date): string {
  return now.toISOString().slice(0, 19).replace(/[-:]/g, "")
    .replace("T", "-");
}
