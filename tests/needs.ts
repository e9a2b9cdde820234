/**
 * Tests that need something that a machine may lack: skipped there, with one
 * line that says why, and failed in CI.
 */
import assert from "node:assert/strict";
import { messageOf } from "../src/core/errors.ts";
import { runToEnd } from "../src/io/processes.ts";
import { print } from "../src/io/terminal.ts";

/** Makes a test that needs something. */
export type TestWithNeeds = (name: string, work: () => Promise<void>) => void;

/**
 * Tests that are skipped where something is missing.
 *
 * @param what The tests, for example "the tests in containers".
 * @param whyNot Why they cannot run here; undefined if they can.
 */
export function testWhere(
  what: string,
  whyNot: string | undefined,
): TestWithNeeds {
  const isSkipped = whyNot !== undefined && Deno.env.get("CI") !== "true";
  if (isSkipped) print(`Skipped: ${what}: ${whyNot}`);
  return (name, work) =>
    Deno.test({
      name,
      ignore: isSkipped,
      fn: async () => {
        assert.equal(whyNot, undefined);
        await work();
      },
    });
}

/** The last words of a command that fails here, or undefined. */
export async function whyNotRun(
  command: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const { code, stderr } = await runToEnd(command, args);
    return code === 0 ? undefined : stderr.trim() || `${command} fails`;
  } catch (error) {
    return messageOf(error);
  }
}
