/** The command `load` for tests: a program with short times. */
import assert from "node:assert/strict";
import { startSource } from "./programs.ts";

/** How the command has ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command, with short times. */
export async function loadCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const run = startSource("lab", ["load", ...args], {
    RATE: "150",
    WARMUP: "1s",
    DURATION: "4s",
    P95_MS: "1000",
    P99_MS: "2000",
    ...env,
  });
  const code = await run.ended;
  assert.deepEqual(run.leftovers(), []);
  return { code, ...run.outputs() };
}

/** The folder of a run, by the path on its last line; removed after `use`. */
export async function withFolder(
  stdout: string,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const page = stdout.trim().split("\n").at(-1) ?? "";
  assert.match(
    page,
    /\/reports\/[0-9]{8}-[0-9]{6}-load-[a-z0-9-]+\/report\.html$/,
  );
  const folder = page.replace(/\/report\.html$/, "");
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
