/** Archives and digests of files, the same bytes for the same files. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { FILE_TIME } from "./compile.ts";

/** Tar counts in blocks of so many bytes. */
const BLOCK_BYTES = 512;

const encoder = new TextEncoder();

/**
 * A file's header in a tar archive, in the "ustar" format: an executable that
 * belongs to nobody in particular.
 *
 * @param path At most 100 bytes of ASCII.
 */
export function tarHeader(
  path: string,
  bytes: number,
): Uint8Array<ArrayBuffer> {
  if (path.length > 100) {
    throw new RangeError(`Cannot archive "${path}": longer than 100 bytes`);
  }
  const header = new Uint8Array(BLOCK_BYTES);
  const write = (offset: number, text: string) =>
    header.set(encoder.encode(text), offset);
  const octal = (value: number, digits: number) =>
    `${value.toString(8).padStart(digits, "0")}\0`;
  write(0, path);
  write(100, octal(0o755, 7));
  write(108, octal(0, 7)); // user
  write(116, octal(0, 7)); // group
  write(124, octal(bytes, 11));
  write(136, octal(FILE_TIME.getTime() / 1000, 11));
  write(148, " ".repeat(8)); // the checksum, while it is summed
  write(156, "0"); // a plain file
  write(257, "ustar\x0000");
  const sum = header.reduce((total, byte) => total + byte, 0);
  write(148, `${octal(sum, 6)} `);
  return header;
}

async function* tarChunks(
  folder: string,
  paths: readonly string[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const path of paths) {
    const { size } = await Deno.stat(path);
    yield tarHeader(`${folder}/${basename(path)}`, size);
    const file = await Deno.open(path);
    yield* file.readable;
    yield new Uint8Array((BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES);
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}

/**
 * Writes an archive, "tar.gz", which Windows unpacks too.
 *
 * @param output The archive's path.
 * @param folder The one folder in it.
 * @param paths The files that are put into the folder.
 * @param options `signal` ends it early, with an unfinished file.
 */
export async function writeArchive(
  output: string,
  folder: string,
  paths: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const file = await Deno.create(output);
  await ReadableStream.from(tarChunks(folder, paths))
    .pipeThrough(new CompressionStream("gzip"))
    .pipeTo(file.writable, options);
}

/** The SHA-256 digest of a file, in hexadecimal digits. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
