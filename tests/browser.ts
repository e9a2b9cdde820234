/** A real browser for tests: Chromium, without a window. */
import assert from "node:assert/strict";
import { print } from "../src/io/terminal.ts";
import { waitUntil } from "../src/io/wait.ts";
import { type Run, start } from "./programs.ts";

/** The same program under its names. */
const COMMANDS = ["chromium", "chromium-browser", "google-chrome"];

const LIMIT_MS = 60_000;

const STOP_LIMIT_MS = 10_000;

/** Without one, CI fails instead of skipping. */
const isRequired = Deno.env.get("CI") === "true";

const browser = COMMANDS.find((command) => {
  try {
    return new Deno.Command(command, { args: ["--version"] })
      .outputSync().success;
  } catch {
    return false;
  }
});
if (browser === undefined && !isRequired) {
  print(`The browser tests are skipped: there is no ${COMMANDS.join(", ")}`);
}

/** A test that needs a browser; it is ignored where there is none. */
export function browserTest(name: string, work: () => Promise<void>): void {
  Deno.test({
    name,
    ignore: browser === undefined && !isRequired,
    fn: async () => {
      assert.ok(browser, `no ${COMMANDS.join(", ")}: install one of them`);
      await work();
    },
  });
}

/**
 * Opens an address and keeps it open until `done` resolves; nothing of the
 * browser is left.
 *
 * @param hostRules Names and the addresses that they have in this browser, as
 * `--host-resolver-rules` wants them.
 */
export async function browse<T>(
  url: string,
  done: Promise<T>,
  hostRules = "",
): Promise<T> {
  const profile = await Deno.makeTempDir();
  const run = start(browser ?? "", [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
    ...["--disable-background-networking", "--disable-dev-shm-usage"],
    ...[`--user-data-dir=${profile}`, `--host-resolver-rules=${hostRules}`],
    url,
  ]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      done,
      run.ended.then((code) => {
        throw new Error(`The browser ended with ${code}:\n${run.text()}`);
      }),
      new Promise<never>((_, reject) => {
        const words = `The page did not end within ${LIMIT_MS} ms`;
        timer = setTimeout(
          () => reject(new Error(`${words}:\n${run.text()}`)),
          LIMIT_MS,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
    await stop(run);
    await Deno.remove(profile, { recursive: true });
  }
}

/** Ends the browser and what it has started. */
async function stop(run: Run): Promise<void> {
  run.process.kill("SIGTERM");
  await run.ended;
  const isGone = await waitUntil(
    () => run.leftovers().length === 0,
    STOP_LIMIT_MS,
  );
  assert.ok(isGone, `left: ${run.leftovers().join("\n")}`);
}
