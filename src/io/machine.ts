/** Facts about this machine and its programs, for reports. */
import config from "../../deno.json" with { type: "json" };

/** Facts about the machine, by name. */
export function machineFacts(): Readonly<Record<string, string>> {
  const gib = Deno.systemMemoryInfo().total / 2 ** 30;
  return {
    system: `${Deno.build.os} ${Deno.osRelease()}, ${Deno.build.arch}`,
    "processor cores": String(navigator.hardwareConcurrency),
    memory: `${gib.toFixed(1)} GiB`,
    "load average at the end": Deno.loadavg()
      .map((load) => load.toFixed(2)).join(" "),
  };
}

/** The versions of the programs. */
export function versionFacts(): Readonly<Record<string, string>> {
  return {
    "this project": config.version,
    Deno: Deno.version.deno,
    V8: Deno.version.v8,
    "grpc-js": config.imports["@grpc/grpc-js"].replace(/^.*@/, ""),
    Envoy: config.toolVersions.envoy,
  };
}
