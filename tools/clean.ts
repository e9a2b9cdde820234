/** Removes everything that the project made in its own folder. */
import { fileURLToPath } from "node:url";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";

/** The folders that programs and tools of this project write to. */
const MADE = [".tools", "dist", "reports"] as const;

/**
 * Removes the folders that were made.
 *
 * @param root The folder of the project.
 * @returns The names of those that were there.
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
  return removed;
}

if (import.meta.main) {
  await runProgram("clean", async () => {
    const root = new URL("../", import.meta.url);
    const removed = await clean(root);
    const where = fileURLToPath(root);
    print(
      removed.length === 0
        ? `Nothing to remove in ${where}`
        : `Removed ${removed.join(", ")} from ${where}`,
    );
    return 0;
  });
}
