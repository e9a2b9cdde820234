/**
 * Packs everything that a workshop needs into one archive: Deno, the programs,
 * Envoy, k6, load tests and lessons. It runs without a network.
 */
import config from "../deno.json" with { type: "json" };
import { Failure } from "../src/core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  oneOf,
  parseFlags,
} from "../src/core/flags.ts";
import { tableLines } from "../src/core/table.ts";
import { sha256OfFile } from "../src/io/digest.ts";
import { filePath } from "../src/io/files.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { writeArchive } from "./build/archive.ts";
import { currentCommit } from "./build/compile.ts";
import { buildInto, OUTPUT_FLAGS } from "./build/output.ts";
import { findParts, HOST, KIT_TARGETS } from "./kit/parts.ts";
import { isExecutable, stageKit } from "./kit/stage.ts";

/** The most an archive may have, so that a room can fetch it. */
export const KIT_BYTES_MAX = 150_000_000;

const FLAGS = {
  target: {
    name: "target",
    placeholder: "NAME",
    help: `The machine it is for: ${KIT_TARGETS.join(", ")}`,
    default: KIT_TARGETS.find((name) => name === HOST) ?? KIT_TARGETS[0],
    parse: oneOf(KIT_TARGETS),
  },
  parts: {
    name: "parts",
    placeholder: "DIR",
    help: "A folder with deno, envoy and k6 for another machine",
    default: "",
    parse: filePath,
  },
  ...OUTPUT_FLAGS,
} as const satisfies FlagRows;

type Config = FlagValues<typeof FLAGS>;

const ABOUT = `Packs a kit for workshops: one folder that runs everything \
without a network, an
installed program or root. The same commit and parts give the same bytes.`;

/** Makes the archive; `folder` is for temporary files. */
async function makeKit(
  { target, parts: partsFolder, out, commit }: Config,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const parts = await findParts(target, partsFolder, {
    onProgress: print,
    signal,
  });
  const name = `grpc-demo-kit-${config.version}-${target}`;
  const stage = `${folder}/${name}/`;
  await Deno.mkdir(stage);
  const names = await stageKit(stage, {
    ...{ target, parts, signal },
    commit: commit === "" ? await currentCommit() : commit,
  });
  const archive = `${name}.tar.gz`;
  const path = `${folder}/${archive}`;
  const content = { cwd: stage, names };
  await writeArchive(path, name, content, { isExecutable, signal });
  const digest = await sha256OfFile(path);
  const sum = `${path}.sha256`;
  await Deno.writeTextFile(sum, `${digest}  ${archive}\n`);
  const { size } = await Deno.stat(path);
  const table = weights(stage, names, size);
  await Deno.writeTextFile(`${path}.sizes.txt`, `${table.join("\n")}\n`);
  for (const end of [".sizes.txt", ".sha256", ""]) {
    await Deno.rename(path + end, `${out}/${archive}${end}`);
  }
  table.forEach((line) => print(line));
  print(`sha256 ${digest}`);
  if (size > KIT_BYTES_MAX) {
    throw new Failure(
      "failed",
      `"${archive}" has ${megabytes(size)} MB, over the budget of ${
        megabytes(KIT_BYTES_MAX)
      } MB; find out what has grown, or raise the budget in tools/kit.ts`,
    );
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(2);
}

/** What each executable and each folder weighs, and the archive. */
function weights(
  folder: string,
  names: readonly string[],
  archiveBytes: number,
): readonly string[] {
  const bytesOf = new Map<string, number>();
  for (const name of names) {
    const key = isExecutable(name) ? name : name.replace(/\/.*/, "/");
    const { size } = Deno.statSync(folder + name);
    bytesOf.set(key, (bytesOf.get(key) ?? 0) + size);
  }
  const rows = [...bytesOf].sort(([, a], [, b]) => b - a);
  const total = rows.reduce((sum, [, bytes]) => sum + bytes, 0);
  return tableLines(["part", "MB"], [
    ...[
      ...rows,
      ["unpacked", total] as const,
      ["packed", archiveBytes] as const,
    ]
      .map(([name, bytes]) => [name, megabytes(bytes)]),
  ]);
}

async function run(): Promise<number> {
  const { values, help } = parseFlags(FLAGS, Deno.args);
  if (help) {
    print(helpText("kit [flags]", ABOUT, FLAGS));
    return 0;
  }
  await buildInto(
    values.out,
    (out, folder, signal) => makeKit({ ...values, out }, folder, signal),
  );
  return 0;
}

if (import.meta.main) await runProgram("kit", run);
