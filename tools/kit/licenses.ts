/** The licences of everything that a kit contains. */
import { Failure } from "../../src/core/errors.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { type Lock, lockComponents } from "../build/sbom.ts";
import { PROJECT } from "../../bootstrap/docker/machine.ts";

/** What packages call them. */
const LICENSE_NAME = /^(licen[cs]e|copying|notice)/i;

/**
 * The licences of all npm packages in the lock file.
 *
 * @returns Texts by file name, for example "npm/@grpc-grpc-js-1.14.7.txt".
 * @throws {Failure} `environment` when a package is not in Deno's cache.
 */
export async function packageLicenses(
  lock: Lock,
): Promise<ReadonlyMap<string, string>> {
  const hosts = await packageFolders();
  const texts = new Map<string, string>();
  for (const { name, version } of lockComponents(lock)) {
    const file = `npm/${name.replace("/", "-")}-${version}.txt`;
    texts.set(file, await licenseOf(hosts, name, version));
  }
  return texts;
}

/** Deno's cache has a folder for every registry. */
async function packageFolders(): Promise<readonly string[]> {
  const words = ["info", "--json"];
  const { stdout } = await runToEnd(Deno.execPath(), words, { cwd: PROJECT });
  const { npmCache } = JSON.parse(stdout) as { readonly npmCache: string };
  return namesIn(npmCache).map((name) => `${npmCache}/${name}`);
}

async function licenseOf(
  hosts: readonly string[],
  name: string,
  version: string,
): Promise<string> {
  for (const host of hosts) {
    const folder = `${host}/${name}/${version}`;
    const texts = namesIn(folder).filter((file) => LICENSE_NAME.test(file))
      .map((file) => Deno.readTextFileSync(`${folder}/${file}`).trimEnd());
    if (texts.length > 0) return `${texts.join("\n\n")}\n`;
    // Some packages only name it.
    const json = await Deno.readTextFile(`${folder}/package.json`)
      .catch(() => undefined);
    if (json === undefined) continue;
    const { license } = JSON.parse(json) as { readonly license?: string };
    if (license !== undefined) return `${name} ${version}: ${license}\n`;
  }
  throw new Failure(
    "environment",
    `Cannot find the licence of "${name}@${version}" in Deno's cache; run ` +
      "./denow install",
  );
}

/** The names in a folder, sorted; none if it is not there. */
function namesIn(folder: string): readonly string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
