/** Fetches other versions of Deno, to be tested. */
import config from "../../../deno.json" with { type: "json" };
import { Failure } from "../../core/errors.ts";
import { type FindOptions, findToolOfRow, type Tool } from "../tools.ts";
import { fetchWithPip } from "./fetch.ts";
import { fetchWithNpm } from "./npm.ts";
import type { ToolRow } from "./row.ts";
import { digestsOf, megabytesOf } from "./table.ts";

/** The npm packages that contain the executable, by "os-cpu". */
const NPM_PACKAGES: Readonly<Record<string, string>> = {
  "linux-x86_64": "@deno/linux-x64-glibc",
  "linux-aarch64": "@deno/linux-arm64-glibc",
  "darwin-x86_64": "@deno/darwin-x64",
  "darwin-aarch64": "@deno/darwin-arm64",
};

/** The row of any version of Deno. */
export function denoRow(version: string): ToolRow {
  // Only pinned versions have digests to check against.
  const pinned = (["deno", "deno-of-stand-in"] as const)
    .find((name) => config.toolVersions[name] === version);
  return {
    name: "deno",
    title: "Deno",
    variable: `DENO_${version.replaceAll(/[^0-9A-Za-z]/g, "_").toUpperCase()}`,
    version,
    versionArgs: ["--version"],
    versionPattern: /^deno ([^ ]+)/,
    fetchedWith: "npm or pip",
    megabytes: megabytesOf("deno"),
    ...(pinned === undefined ? {} : { digests: digestsOf(pinned) }),
    fetch: fetchDeno,
  };
}

const fetchDeno: ToolRow["fetch"] = async (row, workspace) => {
  const name = NPM_PACKAGES[`${Deno.build.os}-${Deno.build.arch}`];
  const problems: string[] = [];
  if (name !== undefined) {
    try {
      return await fetchWithNpm(row, workspace, {
        package: name,
        executable: "deno",
      });
    } catch (error) {
      if (workspace.signal?.aborted || !(error instanceof Failure)) throw error;
      problems.push(error.message);
    }
  }
  try {
    return await fetchWithPip(row, workspace, {
      package: "deno",
      executable: "bin/deno",
    });
  } catch (error) {
    if (workspace.signal?.aborted || !(error instanceof Failure)) throw error;
    throw new Failure("environment", [...problems, error.message].join("\n"), {
      cause: error,
    });
  }
};

/**
 * Finds a Deno of a version, as {@linkcode findToolOfRow} does: in a variable
 * (`DENO_2_9_8`), on PATH, in .tools, or fetched with npm, else with pip.
 *
 * @param version For example "2.9.8".
 * @throws {Failure} `environment` when it cannot be fetched.
 */
export function findDeno(
  version: string,
  options: FindOptions = {},
): Promise<Tool> {
  return findToolOfRow(denoRow(version), options);
}
