/** Digests of files. */
import { createHash } from "node:crypto";

/** Large reads halve the time: 0.14 s for Envoy's 107 MB. */
const READ_BYTES = 2 ** 20;

/**
 * The SHA-256 digest of a file, in hexadecimal digits.
 *
 * @throws {Deno.errors.NotFound} When it is missing, and other system errors.
 */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(READ_BYTES);
  using file = await Deno.open(path);
  for (let count; (count = await file.read(buffer)) !== null;) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}
