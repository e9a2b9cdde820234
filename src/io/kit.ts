/** The files of a kit: each is as it was packed, or a sentence says which not. */
import { Failure, messageOf } from "../core/errors.ts";
import { sha256OfFile } from "./digest.ts";

/** The file with the digests of all others in a kit, as `sha256sum` has them. */
export const KIT_SUMS = "SHA256SUMS";

/** The folder of the executables: Deno, Envoy and k6. */
export const KIT_PARTS = "parts/";

const REMEDY = "unpack the kit's archive again";

/**
 * Reads digests, a line each: "DIGEST  PATH".
 *
 * @param text The content of SHA256SUMS.
 * @returns The digests by path. Lines that are something else are left out.
 */
export function parseSums(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line) => {
      const [, digest, path] = /^([0-9a-f]{64}) [ *](\S.*)$/.exec(line) ?? [];
      return digest === undefined || path === undefined
        ? []
        : [[path, digest] as const];
    }),
  );
}

/**
 * Checks files of a kit against its digests. Nothing is ever fetched in their
 * place.
 *
 * @param folder The kit's, with a trailing slash.
 * @param isMeant Chooses the files by their path in the kit.
 * @param needed Paths of which there must be a digest.
 * @throws {Failure} `environment`, naming the first file that is missing or
 * differs.
 */
export async function requireKitFiles(
  folder: string,
  isMeant: (path: string) => boolean,
  needed: readonly string[] = [],
): Promise<void> {
  const sums = await readSums(folder);
  const unknown = needed.find((path) => !sums.has(path));
  if (unknown !== undefined) throw missing(unknown);
  for (const [path, digest] of sums) {
    if (!isMeant(path)) continue;
    if (await digestOf(folder, path) === digest) continue;
    throw new Failure(
      "environment",
      `"${path}" in this kit is not as it was packed: its digest is not the ` +
        `one in ${KIT_SUMS}; ${REMEDY}, and change copies only`,
    );
  }
}

async function readSums(folder: string): Promise<ReadonlyMap<string, string>> {
  let text = "";
  try {
    text = await Deno.readTextFile(folder + KIT_SUMS);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unread(KIT_SUMS, error);
  }
  const sums = parseSums(text);
  if (sums.size === 0) throw missing(KIT_SUMS);
  return sums;
}

async function digestOf(folder: string, path: string): Promise<string> {
  try {
    return await sha256OfFile(folder + path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw missing(path);
    throw unread(path, error);
  }
}

function missing(path: string): Failure {
  return new Failure(
    "environment",
    `This kit has no "${path}", and a kit fetches nothing; ${REMEDY}`,
  );
}

function unread(path: string, error: unknown): Failure {
  return new Failure(
    "environment",
    `Cannot read "${path}" in this kit: ${messageOf(error)}; ${REMEDY}`,
    { cause: error },
  );
}
