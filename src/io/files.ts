/** Reading the files that users name. */
import { Failure, messageOf } from "../core/errors.ts";

/**
 * Reads a text file.
 *
 * @param advice What to do when it cannot be read: "name a file with --config".
 * @throws {Failure} `environment` when it cannot be read.
 */
export async function readText(path: string, advice: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot read "${path}": ${messageOf(error)}; ${advice}`,
      { cause: error },
    );
  }
}
