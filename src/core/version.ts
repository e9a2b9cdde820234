/** What a program says about its version. */

/** What is known about a running program. */
export interface VersionFacts {
  /** The project's version. */
  readonly version: string;
  /** The commit a binary was built from; undefined when run from source. */
  readonly commit: string | undefined;
  /** The version of Deno running it. */
  readonly deno: string;
  /** The version of Deno the project pins. */
  readonly pinnedDeno: string;
}

/**
 * The line that `--version` prints. A binary whose runtime is not the pinned
 * Deno contains a stand-in, and says so.
 */
export function versionLine(
  program: string,
  { version, commit, deno, pinnedDeno }: VersionFacts,
): string {
  const origin = commit === undefined ? "from source" : `commit ${commit}`;
  const standIn = commit === undefined || deno === pinnedDeno
    ? ""
    : ` (a stand-in runtime for Deno ${pinnedDeno})`;
  return `${program} ${version}, ${origin}, Deno ${deno}${standIn}`;
}
