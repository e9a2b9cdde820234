/** Fetches tools from their npm packages. */
import { join } from "node:path";
import {
  advice,
  ask,
  cannotFetch,
  clientFailed,
  expectFile,
  REGISTRY_LIMIT_MS,
  run,
  type Wanted,
} from "./fetch.ts";
import { onPath } from "./path.ts";
import type { Workspace } from "./row.ts";

/**
 * Downloads an npm package and unpacks it, for the executable it contains.
 *
 * @param options `package` is its name; `executable` is the path of the file
 * in it.
 * @throws {Failure} `environment`.
 */
export async function fetchWithNpm(
  tool: Wanted,
  workspace: Workspace,
  options: { readonly package: string; readonly executable: string },
): Promise<string> {
  const [npm] = onPath("npm", workspace.env);
  if (npm === undefined) {
    throw cannotFetch(
      tool,
      `npm is not installed; install it (Debian: npm), or ${advice(tool)}`,
    );
  }
  const settings = [
    "--cache",
    join(workspace.folder, "npm-cache"),
    "--loglevel",
    "error",
    "--no-update-notifier",
  ];
  const wanted = `${options.package}@${tool.version}`;
  await ask(tool, workspace, "npm", [
    npm,
    ...["view", wanted, "version", ...settings, "--fetch-retries", "0"],
    ...["--fetch-timeout", String(REGISTRY_LIMIT_MS)],
  ]);
  const packed = await run(workspace, npm, [
    "pack",
    wanted,
    ...settings,
  ]);
  if (packed.code !== 0) throw clientFailed(tool, "npm", packed);
  const archive = packed.stdout.trim().split("\n").at(-1) ?? "";
  const unpacked = await run(workspace, "tar", ["-xzf", archive]);
  if (unpacked.code !== 0) throw clientFailed(tool, "tar", unpacked);
  const path = join(workspace.folder, "package", options.executable);
  return await expectFile(tool, path, "npm's package");
}
