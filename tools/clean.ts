/** Removes everything the project generated in its own folder. */
import { fileURLToPath } from "node:url";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";

/** The folders that programs and tools of this project write to. */
const MADE = [".tools", "dist", "reports"] as const;

/**
 * The folder that is emptied but kept: k6 writes there and cannot create it.
 */
const EMPTIED = "loadtest/reports";

const ABOUT = `Removes ${MADE.join(", ")} and what is in ${EMPTIED}: \
all that was fetched,
built or measured here.`;

/**
 * Removes the generated folders.
 *
 * @param root The project's folder.
 * @returns The names of those that existed.
 */
export async function clean(root: URL): Promise<string[]> {
  const removed: string[] = [];
  for (const name of MADE) {
    try {
      await Deno.remove(new URL(name, root), { recursive: true });
      removed.push(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  if (await empty(new URL(`${EMPTIED}/`, root))) removed.push(EMPTIED);
  return removed;
}

/** Empties a folder except for hidden files; false if there was nothing. */
async function empty(folder: URL): Promise<boolean> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.startsWith(".")) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Promise.all(
    names.map((name) => Deno.remove(new URL(encodeURIComponent(name), folder))),
  );
  return names.length > 0;
}

async function run(): Promise<number> {
  const { help } = parseFlags({}, Deno.args);
  if (help) {
    print(helpText("clean", ABOUT, {}));
    return 0;
  }
  const root = new URL("../", import.meta.url);
  const removed = await clean(root);
  const where = fileURLToPath(root);
  print(
    removed.length === 0
      ? `Nothing to remove in ${where}`
      : `Removed ${removed.join(", ")} from ${where}`,
  );
  return 0;
}

if (import.meta.main) await runProgram("clean", run);
