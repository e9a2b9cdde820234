/** What is known about a tool, and what it takes to fetch it. */

/** What a row needs to fetch its tool. */
export interface Workspace {
  /** An empty folder for everything written; it is removed later. */
  readonly folder: string;
  /** The folder of fetched tools, for what other tools can reuse. */
  readonly toolsFolder: string;
  /** Looks up a variable of the environment. */
  readonly env: (name: string) => string | undefined;
  /** Receives what else is fetched, a line each. */
  readonly onProgress: (line: string) => void;
  /** Stops the work when aborted. */
  readonly signal: AbortSignal | undefined;
}

/** One tool. */
export interface ToolRow {
  /** The name of the executable file. */
  readonly name: string;
  /** Its name in sentences. */
  readonly title: string;
  /** The variable of the environment that names an executable. */
  readonly variable: string;
  /** The pinned version. */
  readonly version: string;
  /** Whether another version serves as well (default: none does). */
  readonly accepts?: (version: string) => boolean;
  /** The arguments that make it print its version. */
  readonly versionArgs: readonly string[];
  /** Matches the version in the output, as the first group. */
  readonly versionPattern: RegExp;
  /** For users: the client that fetches it, and how long that takes. */
  readonly fetchedWith: string;
  /** The approximate download size, in megabytes. */
  readonly megabytes: number;
  /**
   * The digests of its executable as "sha256:hex", by "os-cpu". If given, it is
   * fetched on these platforms only; if not, it is built, and its source has a
   * checksum.
   */
  readonly digests?: Readonly<Record<string, string>>;
  /**
   * Fetches it.
   *
   * @returns The path of the executable, in the workspace's folder.
   * @throws {Failure} `environment`, naming what is missing.
   */
  readonly fetch: (row: ToolRow, workspace: Workspace) => Promise<string>;
}
