/** Puts together the folder of a kit. */
import { dirname } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { sha256OfFile } from "../../src/io/digest.ts";
import { KIT_PARTS, KIT_SUMS } from "../../src/io/kit.ts";
import { kitProgram } from "../../src/stack/programs.ts";
import { bundleSource } from "../build/compile.ts";
import { sbom } from "../build/sbom.ts";
import { PROJECT } from "../../bootstrap/docker/machine.ts";
import { packageLicenses } from "./licenses.ts";
import type { KitTarget, Part } from "./parts.ts";

/**
 * The programs in a kit, bundled: what `demo` runs, what a stack starts, and
 * what controls start in place of a server.
 */
const SOURCES = [
  "src/lab.ts",
  "src/server.ts",
  "src/client.ts",
  "experiments/control/large_replies.ts",
  "experiments/control/plain_server.ts",
];

/**
 * The files and folders of the project that are in a kit as they are. k6's
 * scripts import src/core.
 */
const COPIED = [
  ...["LICENSE", "envoy.yaml", "proto", "loadtest", "src/core", "workshop"],
];

/** Where the kit has its licences. */
const LICENSES = "licenses/";

/** What is linked into k6; tools/k6_licenses.ts makes it. */
const K6_MODULES = "k6_modules";

/** Options of {@linkcode stageKit}. */
export interface StageOptions {
  readonly target: KitTarget;
  readonly parts: readonly Part[];
  readonly commit: string;
  readonly signal: AbortSignal;
}

/**
 * Writes a kit's files into an empty folder.
 *
 * @param folder With a trailing slash.
 * @returns Their paths in it, sorted.
 * @throws {Failure} `environment` when a program cannot be bundled.
 */
export async function stageKit(
  folder: string,
  { target, parts, commit, signal }: StageOptions,
): Promise<readonly string[]> {
  const made = new Stage(folder);
  for (const source of SOURCES) {
    const path = await made.place(kitProgram(source));
    // Its folder is the one above its own.
    const build = `{commit:${JSON.stringify(commit)},` +
      `kit:new URL("../",import.meta.url).href}`;
    await bundleSource(source, path, { build, signal });
  }
  for (const { name, path } of parts) {
    await Deno.copyFile(path, await made.place(KIT_PARTS + name));
  }
  for (const path of COPIED) {
    for (const file of filesBelow(path)) {
      // The lessons themselves are in the lab, with their solutions.
      if (path === "workshop" && !file.endsWith(".md")) continue;
      await Deno.copyFile(PROJECT + file, await made.place(file));
    }
  }
  const filled = (text: string) =>
    text.replaceAll("@DENO@", config.toolVersions.deno)
      .replaceAll("@PLATFORM@", target);
  for (const name of ["demo", "README.md"]) {
    await made.write(name, filled(await own(name)));
  }
  const { server, client, lab, doctor } = config.permissions;
  await made.json("deno.json", {
    version: config.version,
    permissions: { server, client, lab, doctor },
    nodeModulesDir: "none",
    lock: false,
  });
  const lock = JSON.parse(await Deno.readTextFile(`${PROJECT}deno.lock`));
  const project = { name: "grpc-demo-kit", version: config.version };
  const components = parts.map(({ component }) => component);
  await made.json("grpc-demo-kit.cdx.json", sbom(lock, project, components));
  for (const name of [...parts.map(({ name }) => name), K6_MODULES]) {
    const file = `${LICENSES}${name}.txt`;
    await made.write(file, await own(file));
  }
  for (const [name, text] of await packageLicenses(lock)) {
    await made.write(LICENSES + name, text);
  }
  return await made.close();
}

/** Whether a file of a kit is a program that the system runs. */
export function isExecutable(path: string): boolean {
  return path === "demo" || path.startsWith(KIT_PARTS);
}

/** A text of this folder. */
function own(name: string): Promise<string> {
  return Deno.readTextFile(`${PROJECT}tools/kit/${name}`);
}

/** A folder that is being filled. */
class Stage {
  readonly #folder: string;
  readonly #paths: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder of a file. @returns Where the file belongs. */
  async place(path: string): Promise<string> {
    this.#paths.push(path);
    const full = this.#folder + path;
    await Deno.mkdir(dirname(full), { recursive: true });
    return full;
  }

  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(await this.place(path), text);
  }

  async json(path: string, value: unknown): Promise<void> {
    await this.write(path, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Writes the digests. @returns All paths, sorted. */
  async close(): Promise<readonly string[]> {
    const sums: string[] = [];
    for (const path of this.#paths.sort()) {
      sums.push(`${await sha256OfFile(this.#folder + path)}  ${path}\n`);
      if (!isExecutable(path)) continue;
      await Deno.chmod(this.#folder + path, 0o755);
    }
    await this.write(KIT_SUMS, sums.join(""));
    return this.#paths.sort();
  }
}

/** Tests, and what was measured here. */
function isLeftOut(path: string): boolean {
  return /_test\.ts$|^loadtest\/reports\/[^.]/.test(path);
}

/** The file of a path, or all files below a folder, if it exists. */
function filesBelow(path: string): readonly string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(PROJECT + path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    if (error instanceof Deno.errors.NotADirectory) return [path];
    throw error;
  }
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory
      ? filesBelow(`${path}/${name}`)
      : isLeftOut(`${path}/${name}`)
      ? []
      : [`${path}/${name}`]
  );
}
