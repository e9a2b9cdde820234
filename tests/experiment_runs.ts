/** Experiments as a command, and what tests ask of its record. */
import assert from "node:assert/strict";
import { print } from "../src/io/terminal.ts";
import { startSource } from "./programs.ts";
import { withReports } from "./report_folder.ts";

/**
 * Runs experiments to their end: each must hold, and each of its controls must
 * break what it names. A machine that others keep busy tells nothing; that is
 * printed, and is no broken promise.
 *
 * @param args The arguments after "experiment".
 * @param names The experiments that the record must have, in order.
 */
export async function experimentsHold(
  args: readonly string[],
  names: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withReports(async (out, read) => {
    const run = startSource("lab", ["experiment", ...args, ...out], env);
    const code = await run.ended;
    assert.deepEqual(run.leftovers(), []);
    const { experiments, info } = JSON.parse(await read()) as {
      readonly experiments: readonly {
        readonly name: string;
        readonly verdict: string;
        readonly reasons: readonly string[];
      }[];
      readonly info: { readonly command: string };
    };
    const isBusy = (reason: string) => /machine (was|is too) busy/.test(reason);
    const unclear = experiments.filter(({ verdict }) => verdict !== "held");
    for (const { name, verdict, reasons } of unclear) {
      assert.equal(verdict, "unknown", run.text());
      assert.ok(reasons.length > 0 && reasons.every(isBusy), run.text());
      print(`${name} is unclear: ${reasons.join("; ")}`);
    }
    assert.equal(code === 0, unclear.length === 0, run.text());
    assert.deepEqual(experiments.map(({ name }) => name), names);
    assert.match(
      info.command,
      /^\.\/denow task experiment run .*--seed [0-9]+/,
    );
  });
}
