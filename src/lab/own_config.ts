/** A user's Envoy configuration, made fit for a stack on this machine. */
import { dirname, isAbsolute, join } from "node:path";
import { adapt, type Adapted } from "../adapt/adapt.ts";
import { governingLines } from "../adapt/governing.ts";
import { Failure } from "../core/errors.ts";
import {
  CONFIG_BYTES_MAX,
  type Configuration,
  decodeText,
  readConfiguration,
} from "../doctor/configuration.ts";
import type { ReadNamed } from "../doctor/model.ts";
import { readText, typedPath } from "../io/files.ts";
import {
  ENVOY_YAML,
  type EnvoyConfig,
  hasFixedServers,
  parseEnvoyConfig,
} from "../stack/envoy_config.ts";
import type { GoverningLines } from "../stack/governing.ts";

/** A configuration that a stack can use. */
export interface OwnConfig {
  readonly config: EnvoyConfig;
  /** The file as typed; "envoy.yaml" if none was. */
  readonly name: string;
  /** Finds the lines that govern what Envoy's figures show. */
  readonly lines: () => readonly GoverningLines[];
  /** What the local run replaces or leaves out; one sentence each. */
  readonly replaced: readonly string[];
}

/**
 * Reads a configuration: one with the names of envoy.yaml is used as it is, and
 * any other is adapted.
 *
 * @param typed As a user typed it; "" is this project's envoy.yaml.
 * @param options `isDocker` says that servers run in containers,
 * `service` which one of the file ours stands for (default: the first).
 * @throws {Failure} `environment` when it cannot be read, or no gRPC call can
 * be followed through it.
 */
export async function readOwnConfig(
  typed: string,
  { isDocker = false, service = "" }: {
    readonly isDocker?: boolean;
    readonly service?: string;
  } = {},
): Promise<OwnConfig> {
  if (typed === "") {
    return projectConfig(ENVOY_YAML, "envoy.yaml");
  }
  const text = await readText(typed, "name a file with --config");
  const folder = dirname(typedPath(typed));
  const options = {
    readNamed: (path: string) => readBeside(folder, path),
    ...(service === "" ? {} : { service }),
  };
  const own = (service === "" ? asItIs(text, typed) : undefined) ??
    adapt(readConfiguration(text, typed), options);
  const fixed = own.config.static_resources.clusters.find(hasFixedServers);
  if (isDocker && fixed !== undefined) {
    throw new Failure(
      "environment",
      `Cannot run containers with ${typed}: its servers have fixed addresses, ` +
        "and those of containers are not known before; leave out --docker",
    );
  }
  return {
    ...own,
    name: typed,
    lines: () => governingLines(readConfiguration(text, typed), options),
  };
}

/** A configuration of this project. */
export function projectConfig(text: string, name: string): OwnConfig {
  const readNamed = () => undefined;
  return {
    ...{ config: parseEnvoyConfig(text, name), name, replaced: [] },
    lines: () => governingLines(readConfiguration(text, name), { readNamed }),
  };
}

/** Undefined if it has other names than envoy.yaml. */
function asItIs(text: string, name: string): Adapted | undefined {
  try {
    return { config: parseEnvoyConfig(text, name), replaced: [] };
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/**
 * A configuration that was read already, as readOwnConfig() gives it.
 *
 * @throws {Failure} `environment` when no gRPC call can be followed through it.
 */
export function ownConfigOf(
  configuration: Configuration,
  readNamed: ReadNamed,
): Adapted {
  const { text, isWholeFile, name } = configuration;
  return (text !== undefined && isWholeFile ? asItIs(text, name) : undefined) ??
    adapt(configuration, { readNamed });
}

/** A file that a configuration names; undefined if it is not one. */
export function readBeside(
  folder: string,
  path: string,
): Configuration | undefined {
  const file = isAbsolute(path) ? path : join(folder, path);
  try {
    const { isFile, size } = Deno.statSync(file);
    if (!isFile || size > CONFIG_BYTES_MAX) return undefined;
    return readConfiguration(decodeText(Deno.readFileSync(file), path), path);
  } catch {
    return undefined; // It is then said not to be seen.
  }
}
