/** Where k6 finds its scripts; a binary must unpack them first. */
import { dirname } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { filesInBinary, projectFolder } from "../io/build.ts";

let unpacked: string | undefined;

/**
 * The folder above loadtest/, with a trailing slash. A binary writes its
 * scripts to .tools/ in its working directory, once, and removes them at its
 * end.
 *
 * @throws {Failure} `environment` when they cannot be written.
 */
export function scriptsFolder(): string {
  const files = filesInBinary();
  if (files === undefined) return projectFolder();
  if (unpacked !== undefined) return unpacked;
  const folder = `${projectFolder()}.tools/k6-scripts-${Deno.pid}/`;
  globalThis.addEventListener("unload", () => {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch {
      // It could not be created either, which was reported.
    }
  });
  try {
    for (const [path, text] of Object.entries(files)) {
      Deno.mkdirSync(dirname(folder + path), { recursive: true });
      Deno.writeTextFileSync(folder + path, text);
    }
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write k6's scripts to "${folder}": ${messageOf(error)}; start ` +
        "this where it may write to .tools/",
      { cause: error },
    );
  }
  return unpacked = folder;
}
