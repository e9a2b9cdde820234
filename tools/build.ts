/**
 * Compiles the programs to binaries, each with its own permissions, and packs
 * them with their digests, sizes and a list of components.
 */
import config from "../deno.json" with { type: "json" };
import { Failure } from "../src/core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  parseFlags,
} from "../src/core/flags.ts";
import { tableLines } from "../src/core/table.ts";
import { sha256OfFile } from "../src/io/digest.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { writeArchive } from "./build/archive.ts";
import { bundle, compile, currentCommit } from "./build/compile.ts";
import { buildInto, OUTPUT_FLAGS } from "./build/output.ts";
import {
  chooseRuntime,
  type Runtime,
  runtimeOptions,
} from "./build/runtime.ts";
import { sbom } from "./build/sbom.ts";
import {
  archiveName,
  binaryName,
  namesOf,
  type Program,
  PROGRAMS,
  type Target,
  TARGETS,
} from "./build/targets.ts";
import { PROJECT } from "../bootstrap/docker/machine.ts";

/** The most a binary may have; nearly all of it is the runtime. */
export const BINARY_BYTES_MAX = 100_000_000;

const FLAGS = {
  targets: {
    name: "target",
    placeholder: "NAMES",
    help: `Platforms: all, or a list of ${TARGETS.join(", ")}`,
    default: [Deno.build.target as Target],
    parse: namesOf(TARGETS),
  },
  programs: {
    name: "only",
    placeholder: "NAMES",
    help: `Programs: of ${PROGRAMS.join(", ")}; packed only if all are built`,
    default: PROGRAMS,
    parse: namesOf(PROGRAMS),
  },
  ...OUTPUT_FLAGS,
  out: {
    ...OUTPUT_FLAGS.out,
    help: "Where to write; several platforms get a subfolder each",
  },
} as const satisfies FlagRows;

type Config = FlagValues<typeof FLAGS>;

const ABOUT = `Compiles grpc-server, grpc-client and grpc-lab, each with the \
permissions that deno.json
names for it, and packs them. The same commit gives the same bytes.`;

/** A file that was built. */
interface Made {
  /** Its path relative to the output folder. */
  readonly name: string;
  readonly bytes: number;
}

/** Builds everything requested; `folder` is for temporary files. */
async function build(
  { targets, programs, out, commit }: Config,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const options = runtimeOptions(folder, signal);
  const runtimes = new Map<Target, Runtime>();
  for (const target of targets) {
    runtimes.set(target, await chooseRuntime(target, options));
  }
  for (const { note } of runtimes.values()) {
    if (note !== undefined) print(note);
  }
  const bundles = new Map<Program, string>();
  const named = commit === "" ? await currentCommit() : commit;
  for (const program of programs) {
    const name = await bundle(program, folder, { commit: named, signal });
    bundles.set(program, name);
  }
  const binaries: Made[] = [];
  const others: Made[] = [];
  const measure = async (name: string): Promise<Made> => ({
    name,
    bytes: (await Deno.stat(`${out}/${name}`)).size,
  });
  for (const [target, { denort, deno }] of runtimes) {
    const place = targets.length === 1 ? "" : `${target}/`;
    await Deno.mkdir(`${out}/${place}`, { recursive: true });
    for (const [program, bundleName] of bundles) {
      const name = `${place}${binaryName(program, target)}`;
      await compile({
        ...{ program, target, folder, bundle: bundleName, signal },
        output: `${out}/${name}`,
        ...(denort === undefined ? {} : { denort }),
        ...(deno === undefined ? {} : { deno }),
      });
      binaries.push(await measure(name));
    }
    if (programs.length < PROGRAMS.length) continue;
    const archive = `${archiveName(target)}.tar.gz`;
    await writeArchive(
      `${folder}/${archive}`,
      archiveName(target),
      {
        cwd: `${out}/${place}`,
        names: programs.map((program) => binaryName(program, target)),
      },
      { signal },
    );
    await Deno.rename(`${folder}/${archive}`, `${out}/${archive}`);
    others.push(await measure(archive));
  }
  others.push(await writeSbom(out, [...runtimes.values()]));
  await report(out, binaries, others);
}

async function writeSbom(
  out: string,
  runtimes: readonly Runtime[],
): Promise<Made> {
  const name = "grpc-demo.cdx.json";
  const project = { name: "grpc-demo", version: config.version };
  const unique = new Map(
    runtimes.map(({ component }) => [component.purl, component]),
  );
  const lock = JSON.parse(await Deno.readTextFile(`${PROJECT}deno.lock`));
  const list = sbom(lock, project, [...unique.values()]);
  const text = `${JSON.stringify(list, null, 2)}\n`;
  await Deno.writeTextFile(`${out}/${name}`, text);
  return { name, bytes: (await Deno.stat(`${out}/${name}`)).size };
}

/**
 * Writes digests and sizes.
 * @throws {Failure} `failed` when a binary exceeds the budget.
 */
async function report(
  out: string,
  binaries: readonly Made[],
  others: readonly Made[],
): Promise<void> {
  const all = [...binaries, ...others];
  const sums: string[] = [];
  for (const { name } of all) {
    sums.push(`${await sha256OfFile(`${out}/${name}`)}  ${name}\n`);
  }
  await Deno.writeTextFile(`${out}/SHA256SUMS`, sums.join(""));
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(2);
  const table = tableLines(
    ["file", "MB", "budget"],
    all.map((made) => [
      made.name,
      megabytes(made.bytes),
      binaries.includes(made) ? megabytes(BINARY_BYTES_MAX) : "",
    ]),
  );
  await Deno.writeTextFile(`${out}/sizes.txt`, `${table.join("\n")}\n`);
  table.forEach((line) => print(line));
  const over = binaries.filter(({ bytes }) => bytes > BINARY_BYTES_MAX);
  if (over.length > 0) {
    throw new Failure(
      "failed",
      `Over the budget of ${megabytes(BINARY_BYTES_MAX)} MB: ${
        over.map(({ name }) => name).join(", ")
      }; find out what has grown, or raise the budget in tools/build.ts`,
    );
  }
}

async function run(): Promise<number> {
  const { values, help } = parseFlags(FLAGS, Deno.args);
  if (help) {
    print(helpText("build [flags]", ABOUT, FLAGS));
    return 0;
  }
  await buildInto(
    values.out,
    (out, folder, signal) => build({ ...values, out }, folder, signal),
  );
  return 0;
}

if (import.meta.main) await runProgram("build", run);
