/** What the build puts into a binary or a kit, and where the project is. */
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { versionLine } from "../core/version.ts";

/** The global that a build sets in a binary and in a kit's programs. */
export const BUILD_GLOBAL = "GRPC_DEMO_BUILD";

/** What a build knows and a program cannot find out. */
export interface Build {
  /** The commit it was built from. */
  readonly commit: string;
  /**
   * Files that other programs read, by their paths in the project; a binary
   * has no project beside it.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** The URL of the kit's folder; only in a kit. */
  readonly kit?: string;
}

function build(): Build | undefined {
  return (globalThis as { readonly [BUILD_GLOBAL]?: Build })[BUILD_GLOBAL];
}

/** The files inside this binary; undefined when it is not one. */
export function filesInBinary(): Build["files"] {
  return build()?.files;
}

/** The kit that this program is part of, with a trailing slash. */
export function kitFolder(): string | undefined {
  const url = build()?.kit;
  return url === undefined ? undefined : fileURLToPath(url);
}

/** Whether the project's sources are here: neither a binary nor a kit. */
export function isFromSource(): boolean {
  return build() === undefined && !Deno.build.standalone;
}

/**
 * The folder of the project, with a trailing slash: of its sources, or the
 * kit's, which has the same names in it; a binary has its working folder.
 */
export function projectFolder(): string {
  return kitFolder() ??
    (Deno.build.standalone
      ? `${Deno.cwd()}/`
      : fileURLToPath(new URL("../../", import.meta.url)));
}

/** What users type before a verb, for example "./demo" in a kit. */
export function commandWords(): string {
  if (kitFolder() !== undefined) return "./demo";
  return Deno.build.standalone ? "grpc-lab" : "./denow task";
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
