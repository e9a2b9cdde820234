/** Finds executable files. */
// @ts-types="@types/which"
import which from "which";

/** Whether anything has this name. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Whether it is a file that this user may execute. */
export async function isExecutableFile(path: string): Promise<boolean> {
  return await which(path, { nothrow: true }) !== null;
}

/**
 * The executable files of a name on PATH, in order.
 *
 * @param env Looks up a variable of the environment.
 */
export function onPath(
  name: string,
  env: (name: string) => string | undefined,
): readonly string[] {
  const path = env("PATH") ?? "";
  return which.sync(name, { all: true, nothrow: true, path }) ?? [];
}
