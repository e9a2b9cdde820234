/** What is known about a tool, and what fetching it needs. */

/** What a row is given to fetch its tool. */
export interface Workspace {
  /** The version to fetch. */
  readonly version: string;
  /** An empty folder; all that is written goes in here. It is removed later. */
  readonly folder: string;
  /** The folder of fetched tools, for what is needed again for other tools. */
  readonly toolsFolder: string;
  /** Looks up a variable of the environment. */
  readonly env: (name: string) => string | undefined;
  /** Told what else is fetched, a line each. */
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
  /** The arguments that make it print its version. */
  readonly versionArgs: readonly string[];
  /** Finds the version in what was printed; it is the first group. */
  readonly versionPattern: RegExp;
  /** The client that fetches it, for people, and how long that takes. */
  readonly fetchedWith: string;
  /** What fetching it takes from the network, about, in megabytes. */
  readonly megabytes: number;
  /**
   * The digests of its executable as "sha256:hex", by "os-cpu". With them, it
   * is fetched on these platforms only. Without, the client checks what it
   * fetches, as Go does.
   */
  readonly digests?: Readonly<Record<string, string>>;
  /**
   * Fetches it.
   *
   * @returns The path of the executable, in the workspace's folder.
   * @throws {Failure} `environment`, saying what is missing.
   */
  readonly fetch: (row: ToolRow, workspace: Workspace) => Promise<string>;
}
