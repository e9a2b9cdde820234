/** Reproducible archives. */
import { createWriteStream } from "node:fs";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { create } from "tar";
import { FILE_TIME } from "./compile.ts";

/** Independent of the umask. */
const EXECUTABLE = 0o755;

/**
 * Writes a "tar.gz" archive, which Windows can unpack too. Its files are
 * executables without an owner.
 *
 * @param output The archive's path.
 * @param folder The archive's only folder.
 * @param paths The files to put into the folder.
 * @param options `signal` aborts it, leaving an unfinished file.
 */
export async function writeArchive(
  output: string,
  folder: string,
  paths: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const [first = ""] = paths;
  const archive = create({
    cwd: dirname(first),
    gzip: true,
    mtime: FILE_TIME,
    portable: true,
    prefix: folder,
    strict: true,
    onWriteEntry: (entry) => {
      if (entry.stat !== undefined) entry.stat.mode = EXECUTABLE;
    },
  }, paths.map((path) => basename(path)));
  await pipeline(archive, createWriteStream(output), options);
}
