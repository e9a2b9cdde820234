/** What everything that is built has in common: where it goes. */
import { Failure } from "../../src/core/errors.ts";
import { type FlagRows, words } from "../../src/core/flags.ts";
import { filePath } from "../../src/io/files.ts";
import { listenForStop } from "../../src/io/program.ts";
import { print } from "../../src/io/terminal.ts";
import { PROJECT } from "../../bootstrap/docker/machine.ts";

/** The flags of a build. */
export const OUTPUT_FLAGS = {
  out: {
    name: "out",
    placeholder: "DIR",
    help: "Where to write",
    default: `${PROJECT}dist`,
    parse: filePath,
  },
  commit: {
    name: "commit",
    placeholder: "NAME",
    help: "Commit that --version names; asks git by default",
    default: "",
    parse: words(64),
  },
} as const satisfies FlagRows;

/**
 * Builds something into a folder, and says how long it took. Nothing that is
 * unfinished is left.
 *
 * @param out The folder, made if there is none.
 * @param work Receives the folder's real path, and a folder in it for temporary
 * files, which is on the same disk and removed afterwards.
 * @throws {Failure} `environment` when it cannot be written to; `interrupted`.
 */
export async function buildInto(
  out: string,
  work: (out: string, folder: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const startedMs = performance.now();
  const unfinished: string[] = [];
  const { signal } = listenForStop(() => {
    try {
      unfinished.forEach((path) => Deno.removeSync(path, { recursive: true }));
    } catch {
      // A program still writing there keeps it; `deno task clean` removes it.
    }
  });
  const folder = await makeFolder(out);
  unfinished.push(folder);
  try {
    await work(await Deno.realPath(out), folder, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Failure("interrupted", "interrupted before the build finished");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  print(`Built in ${seconds} s into "${out}"`);
}

async function makeFolder(out: string): Promise<string> {
  try {
    await Deno.mkdir(out, { recursive: true });
    return await Deno.makeTempDir({
      dir: await Deno.realPath(out),
      prefix: ".build-",
    });
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write to "${out}"; choose another folder with --out`,
      { cause: error },
    );
  }
}
