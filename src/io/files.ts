/** Reads files named by users. */
import { resolve } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { words } from "../core/values.ts";

/**
 * The absolute path of a file that a user typed. `deno task` starts programs in
 * the project's folder and sets INIT_CWD to where it was typed; a binary runs
 * there itself, and must ignore an inherited INIT_CWD.
 */
export function typedPath(path: string): string {
  const typedIn = Deno.build.standalone ? undefined : Deno.env.get("INIT_CWD");
  return resolve(typedIn ?? "", path);
}

/** The longest path that Linux takes. */
const PATH_UNITS_MAX = 4096;

/**
 * Parses a flag that names a file or a folder.
 *
 * @returns Its absolute path.
 */
export function filePath(text: string): string {
  return typedPath(words(PATH_UNITS_MAX)(text));
}

/**
 * Reads a text file.
 *
 * @param path As typed by a user.
 * @param advice What to do when it cannot be read: "name a file with --config".
 * @throws {Failure} `environment` when it cannot be read.
 */
export async function readText(path: string, advice: string): Promise<string> {
  const file = typedPath(path);
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot read "${file}": ${messageOf(error)}; ${advice}`,
      { cause: error },
    );
  }
}
