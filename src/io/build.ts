/** What the build puts into a binary. */
import config from "../../deno.json" with { type: "json" };
import { versionLine } from "../core/version.ts";

/** The global that a build sets in a binary. */
export const BUILD_GLOBAL = "GRPC_DEMO_BUILD";

/** What a build knows and a binary cannot find out. */
export interface Build {
  /** The commit it was built from. */
  readonly commit: string;
  /**
   * Files that other programs read, by their paths in the project; a binary
   * has no project beside it.
   */
  readonly files: Readonly<Record<string, string>>;
}

function build(): Build | undefined {
  return (globalThis as { readonly [BUILD_GLOBAL]?: Build })[BUILD_GLOBAL];
}

/** The files inside this binary; undefined when it runs from source. */
export function filesInBinary(): Build["files"] | undefined {
  return build()?.files;
}

/** The line that `--version` prints for a program. */
export function versionOfProgram(name: string): string {
  return versionLine(Deno.build.standalone ? `grpc-${name}` : name, {
    version: config.version,
    commit: build()?.commit,
    deno: Deno.version.deno,
    pinnedDeno: config.toolVersions.deno,
  });
}

/** A warning about a runtime that has not passed the gate. */
export function runtimeNote(): string | undefined {
  const { deno } = config.toolVersions;
  return Deno.version.deno === deno
    ? undefined
    : `This runs on Deno ${Deno.version.deno} and not ${deno}: as a ` +
      "client it may lose calls that no server lost";
}
