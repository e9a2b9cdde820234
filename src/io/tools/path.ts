/** Finds executable files. */
import { delimiter, join } from "node:path";

/** Whether there is anything of that name. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Whether there is a file that somebody may execute. */
export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    return isExecutable(await Deno.stat(path));
  } catch {
    return false;
  }
}

function isExecutable(info: Deno.FileInfo): boolean {
  return info.isFile && (info.mode === null || (info.mode & 0o111) !== 0);
}

/**
 * The executable files of a name on PATH, the first one first.
 *
 * @param env Looks up a variable of the environment.
 */
export function onPath(
  name: string,
  env: (name: string) => string | undefined,
): string[] {
  return (env("PATH") ?? "").split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .filter((path) => {
      try {
        return isExecutable(Deno.statSync(path));
      } catch {
        return false;
      }
    });
}
