/** The binaries' software bill of materials, in CycloneDX format. */
import { Buffer } from "node:buffer";

/** The part of deno.lock read here. */
export interface Lock {
  readonly npm?: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** A component of the list. */
export interface Component {
  readonly type: "library" | "platform" | "application";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly {
    readonly alg: string;
    readonly content: string;
  }[];
}

/**
 * The components of a lock file. A package listed several times, with different
 * peers, is one component.
 *
 * @throws {RangeError} When an entry cannot be parsed.
 */
export function lockComponents(lock: Lock): readonly Component[] {
  const components = new Map<string, Component>();
  for (const [key, { integrity }] of Object.entries(lock.npm ?? {})) {
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key) ?? [];
    const [, bits, digest] =
      /^sha(\d+)-([A-Za-z0-9+/]+=*)$/.exec(integrity ?? "") ?? [];
    if (name === undefined || version === undefined) {
      throw new RangeError(`Cannot read "${key}" in the lock file`);
    }
    if (bits === undefined || digest === undefined) {
      throw new RangeError(`Cannot read the integrity of "${key}"`);
    }
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    components.set(purl, {
      type: "library",
      "bom-ref": purl,
      name,
      version,
      purl,
      hashes: [{
        alg: `SHA-${bits}`,
        content: Buffer.from(digest, "base64").toString("hex"),
      }],
    });
  }
  return [...components.values()];
}

/** A runtime as a component. */
export function runtimeComponent(
  name: string,
  version: string,
  purl: string,
): Component {
  return { type: "platform", "bom-ref": purl, name, version, purl };
}

/**
 * An executable as a component.
 *
 * @param sha256 Its digest, in hexadecimal digits.
 */
export function executableComponent(
  name: string,
  version: string,
  purl: string,
  sha256: string,
): Component {
  return {
    ...runtimeComponent(name, version, purl),
    type: "application",
    hashes: [{ alg: "SHA-256", content: sha256 }],
  };
}

/**
 * The whole list, without a timestamp or random number, so that the same lock
 * file gives the same bytes.
 *
 * @param project The project's name and version.
 * @param runtimes The runtimes in the binaries.
 * @throws {RangeError} When the lock file has no package at all.
 */
export function sbom(
  lock: Lock,
  project: { readonly name: string; readonly version: string },
  runtimes: readonly Component[],
): Record<string, unknown> {
  const libraries = lockComponents(lock);
  if (libraries.length === 0) {
    throw new RangeError("Cannot list components: the lock file has none");
  }
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": project.name, ...project },
    },
    components: [...runtimes, ...libraries],
  };
}
