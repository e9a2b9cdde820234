/** The version of the running program. */
import config from "../../deno.json" with { type: "json" };
import { versionLine } from "../core/version.ts";

/** The global that a build sets in a binary, to the commit it was made of. */
export const COMMIT_GLOBAL = "GRPC_DEMO_COMMIT";

/** The line that `--version` prints for a program. */
export function versionOfProgram(name: string): string {
  const commit = (globalThis as Readonly<Record<string, unknown>>)[
    COMMIT_GLOBAL
  ];
  return versionLine(Deno.build.standalone ? `grpc-${name}` : name, {
    version: config.version,
    commit: typeof commit === "string" ? commit : undefined,
    deno: Deno.version.deno,
    pinnedDeno: config.toolVersions.deno,
  });
}
