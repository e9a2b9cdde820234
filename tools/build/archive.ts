/** Archives and digests of files, the same bytes for the same files. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { create } from "tar";
import { FILE_TIME } from "./compile.ts";

/** Whatever the umask was. */
const EXECUTABLE = 0o755;

/**
 * Writes an archive, "tar.gz", which Windows unpacks too. Its files are
 * executables that belong to nobody in particular.
 *
 * @param output The archive's path.
 * @param folder The one folder in it.
 * @param paths The files that are put into the folder; all are in one place.
 * @param options `signal` ends it early, with an unfinished file.
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

/** The SHA-256 digest of a file, in hexadecimal digits. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
