/** A folder of a test's own for the reports of what it starts. */
import { ROOT } from "./programs.ts";

/**
 * Runs `work` with the flags for such a folder, and a function that reads its
 * only record; the folder is removed.
 */
export async function withReports(
  work: (out: readonly string[], read: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const dir = `reports/test-${crypto.randomUUID()}`;
  const read = async () => {
    const [folder] = [...Deno.readDirSync(`${ROOT}${dir}`)]
      .filter(({ isDirectory }) => isDirectory);
    return await Deno.readTextFile(
      `${ROOT}${dir}/${folder?.name}/record.json`,
    );
  };
  try {
    await work(["--out", dir], read);
  } finally {
    await Deno.remove(`${ROOT}${dir}`, { recursive: true }).catch(() => {});
  }
}
