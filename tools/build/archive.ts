/** Reproducible archives. */
import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { create } from "tar";
import { FILE_TIME } from "./compile.ts";

/** Independent of the umask. */
const EXECUTABLE = 0o755;
const READABLE = 0o644;

/**
 * Writes a "tar.gz" archive, which Windows can unpack too. Its files have no
 * owner.
 *
 * @param output The archive's path.
 * @param folder The archive's only folder.
 * @param files `names` are the files to put into it, in order, by their paths
 * in `cwd`.
 * @param options `isExecutable` tells which may be run (default: all);
 * `signal` aborts it, leaving an unfinished file.
 */
export async function writeArchive(
  output: string,
  folder: string,
  { cwd, names }: { readonly cwd: string; readonly names: readonly string[] },
  options: {
    readonly isExecutable?: (name: string) => boolean;
    readonly signal?: AbortSignal;
  } = {},
): Promise<void> {
  const { isExecutable = () => true, ...aborting } = options;
  const executables = new Set(
    names.filter(isExecutable).map((name) => resolve(cwd, name)),
  );
  const archive = create({
    cwd,
    gzip: { level: 9 },
    mtime: FILE_TIME,
    portable: true,
    prefix: folder,
    strict: true,
    onWriteEntry: (entry) => {
      if (entry.stat === undefined) return;
      entry.stat.mode = executables.has(entry.absolute) ? EXECUTABLE : READABLE;
    },
  }, [...names]);
  await pipeline(archive, createWriteStream(output), aborting);
}
