/** Folders that belong to one run of a program. */
import { join } from "node:path";
import { livingOf, RUN_FOLDER } from "./run_file.ts";

let count = 0;

/**
 * Names a new folder for this program, which may have several, and removes
 * those of the same kind whose programs were killed.
 *
 * @param kind For example "discovery".
 * @param parent Default: the project's `.tools/run`.
 */
export async function ownFolder(
  kind: string,
  parent: string = RUN_FOLDER,
): Promise<string> {
  count += 1;
  await removeLeftovers(kind, parent);
  return join(parent, `${kind}-${Deno.pid}-${count}`);
}

/** Removes the folders of programs that no longer run. */
async function removeLeftovers(kind: string, parent: string): Promise<void> {
  const pattern = new RegExp(`^${kind}-(\\d+)-\\d+$`);
  try {
    const found = [...Deno.readDirSync(parent)].flatMap(({ name }) => {
      const [, pid] = pattern.exec(name) ?? [];
      return pid === undefined ? [] : [{ name, pid: Number(pid) }];
    });
    const living = await livingOf(found.map(({ pid }) => pid));
    for (const { name, pid } of found) {
      if (living.has(pid)) continue;
      await Deno.remove(join(parent, name), { recursive: true });
    }
  } catch {
    // There is no such folder yet, or another program was faster.
  }
}
