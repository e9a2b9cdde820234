/**
 * The runtime in binaries, `denort`: Deno downloads it from its own site when
 * it first compiles for a platform.
 */
import config from "../../deno.json" with { type: "json" };
import { Failure } from "../../src/core/errors.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { findStandInDenort, type StandIn } from "../../bootstrap/denort.ts";
import { type Component, runtimeComponent } from "./sbom.ts";
import type { Target } from "./targets.ts";

/** Where a binary's runtime comes from. */
export interface Runtime {
  /** A file that is used instead of Deno's download. */
  readonly denort?: string;
  /** The Deno that compiles for that file, if it is not this one. */
  readonly deno?: string;
  /** A sentence for users, if there is something to say. */
  readonly note?: string;
  /** Its entry in the list of components. */
  readonly component: Component;
}

/** How long Deno's site may take to answer. */
const ANSWER_LIMIT_MS = 5_000;

/** How long compiling an empty program may take without a download. */
const CACHED_LIMIT_MS = 10_000;

const VERSION = config.toolVersions.deno;

const STAND_IN_VERSION = config.toolVersions["denort-stand-in"];

/** What the choice of a runtime depends on; tests pass their own. */
export interface RuntimeOptions {
  /** The value of DENORT_BIN, if it is set. */
  readonly denortBin: string | undefined;
  /** The value of DENORT_DENO, if it is set: the Deno for DENORT_BIN. */
  readonly denortDeno: string | undefined;
  /** This machine's platform. */
  readonly host: string;
  /** Whether Deno has, or can download, its runtime for the platform. */
  readonly hasDenort: (target: Target) => Promise<boolean>;
  /** Finds or makes the stand-in for this machine's platform. */
  readonly findStandIn: () => Promise<StandIn>;
}

/**
 * Chooses the runtime for a platform: the one in DENORT_BIN, which must be for
 * this machine; Deno's own; or, for this machine, the stand-in.
 *
 * @throws {Failure} `environment` when there is none.
 */
export async function chooseRuntime(
  target: Target,
  { denortBin, denortDeno, host, hasDenort, findStandIn }: RuntimeOptions,
): Promise<Runtime> {
  if (target === host && denortBin !== undefined) {
    return {
      denort: denortBin,
      ...(denortDeno === undefined ? {} : { deno: denortDeno }),
      note: `The runtime for ${target} is DENORT_BIN, "${denortBin}"`,
      component: runtimeComponent("denort", "unknown", "pkg:generic/denort"),
    };
  }
  if (await hasDenort(target)) {
    const purl = `pkg:github/denoland/deno@v${VERSION}`;
    return { component: runtimeComponent("denort", VERSION, purl) };
  }
  if (target !== host) {
    throw new Failure(
      "environment",
      `Cannot build for ${target}: its runtime of Deno ${VERSION} is not here, and dl.deno.land, which has it, cannot be reached; build for ${host}, or where that site can be reached`,
    );
  }
  return {
    ...await findStandIn(),
    note: "The runtime is a stand-in, for tests and not for releases: " +
      `dl.deno.land, which has Deno ${VERSION}'s, cannot be reached`,
    component: runtimeComponent(
      "denort-stand-in",
      STAND_IN_VERSION,
      `pkg:npm/%40stdy/cli-linux-x64@${STAND_IN_VERSION}`,
    ),
  };
}

/**
 * The real options. DENORT_BIN is removed from the environment, as Deno would
 * use it for every platform.
 *
 * @param folder Where files may be written.
 */
export function runtimeOptions(
  folder: string,
  signal: AbortSignal,
): RuntimeOptions {
  const denortBin = Deno.env.get("DENORT_BIN") || undefined;
  Deno.env.delete("DENORT_BIN");
  return {
    denortBin,
    denortDeno: Deno.env.get("DENORT_DENO") || undefined,
    host: Deno.build.target,
    hasDenort: async (target) =>
      await isReached(target, signal) || await isCached(target, folder, signal),
    findStandIn: findStandInDenort,
  };
}

/** Whether Deno's site answers and has the runtime. */
async function isReached(
  target: Target,
  signal: AbortSignal,
): Promise<boolean> {
  const url = `https://dl.deno.land/release/v${VERSION}/denort-${target}.zip`;
  try {
    const response = await fetch(url, {
      method: "HEAD",
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]),
    });
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false; // Why the site cannot be reached makes no difference.
  }
}

/** Whether Deno already has the runtime: it can compile an empty program. */
async function isCached(
  target: Target,
  folder: string,
  signal: AbortSignal,
): Promise<boolean> {
  await Deno.writeTextFile(`${folder}/nothing.mjs`, "export {};\n");
  const output = `${folder}/nothing`;
  try {
    const { code } = await runToEnd(
      Deno.execPath(),
      [
        ...["compile", "--quiet", "--no-config", "--no-check"],
        ...["--target", target, "--output", output, "nothing.mjs"],
      ],
      { cwd: folder, signal, timeoutMs: CACHED_LIMIT_MS },
    );
    return code === 0;
  } catch (error) {
    if (signal.aborted || !(error instanceof Failure)) throw error;
    return false; // It took too long, so it is trying to download.
  }
}
