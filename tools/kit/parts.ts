/** The executables of a kit: found here, or given for another machine. */
import config from "../../deno.json" with { type: "json" };
import { Failure } from "../../src/core/errors.ts";
import { sha256OfFile } from "../../src/io/digest.ts";
import { findTool } from "../../src/io/tools.ts";
import { type Component, executableComponent } from "../build/sbom.ts";

/**
 * The machines that a kit can be for, as `toolDigests` in deno.json names them:
 * those with an Envoy, a Deno and addresses from 127.0.0.2 on.
 */
export const KIT_TARGETS = ["linux-x86_64", "linux-aarch64"] as const;

/** A machine that a kit can be for. */
export type KitTarget = typeof KIT_TARGETS[number];

/** This machine, as {@linkcode KIT_TARGETS} names it. */
export const HOST = `${Deno.build.os}-${Deno.build.arch}`;

/** An executable of a kit. */
export interface Part {
  /** The name in the kit's folder of parts. */
  readonly name: string;
  /** Where it is now. */
  readonly path: string;
  readonly component: Component;
}

/** Where each comes from, in a list of components. */
const PURLS = {
  deno: "pkg:github/denoland/deno@v",
  envoy: "pkg:github/envoyproxy/envoy@v",
  k6: "pkg:golang/go.k6.io/k6@v",
} as const;

type PartName = keyof typeof PURLS;

/**
 * Finds the executables and checks those that have a digest in deno.json; k6 is
 * built from its module, which Go has checked.
 *
 * @param folder The folder with `deno`, `envoy` and `k6` for the machine; ""
 * takes those of this machine, fetching what is missing.
 * @throws {Failure} `environment` when one is missing or another one.
 */
export async function findParts(
  target: KitTarget,
  folder: string,
  options: {
    readonly onProgress: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<readonly Part[]> {
  if (folder === "" && target !== HOST) {
    throw new Failure(
      "environment",
      `A kit for ${target} needs deno, envoy and k6 for it, and this is ` +
        `${HOST}; name a folder that has them with --parts (docs/kit.md)`,
    );
  }
  const parts: Part[] = [];
  for (const name of Object.keys(PURLS) as PartName[]) {
    const path = folder !== ""
      ? `${folder}/${name}`
      : name === "deno"
      ? Deno.execPath()
      : (await findTool(name, options)).path;
    parts.push(await partOf(name, path, target));
  }
  return parts;
}

async function partOf(
  name: PartName,
  path: string,
  target: KitTarget,
): Promise<Part> {
  const version = config.toolVersions[name];
  const pins: Readonly<Record<string, string>> = config.toolDigests;
  const pinned = pins[`${name}-${target}`];
  let sha256: string;
  try {
    sha256 = await sha256OfFile(path);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot read "${path}", the ${name} ${version} of a kit for ${target}; ` +
        "put it there",
      { cause: error },
    );
  }
  if (pinned !== undefined && pinned !== `sha256:${sha256}`) {
    throw new Failure(
      "environment",
      `"${path}" is not the ${name} ${version} that deno.json pins for ` +
        `${target}: its digest is sha256:${sha256}, not ${pinned}; put that ` +
        "one there",
    );
  }
  const purl = `${PURLS[name]}${version}`;
  return {
    name,
    path,
    component: executableComponent(name, version, purl, sha256),
  };
}
