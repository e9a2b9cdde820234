/** All short experiments, as a command. */
import assert from "node:assert/strict";
import { CATALOGUE } from "../../experiments/catalogue.ts";
import { startSource } from "../programs.ts";
import { withReports } from "../report_folder.ts";

Deno.test("experiment all --short: all held, every control broken", async () => {
  await withReports(async (out, read) => {
    const run = startSource("lab", ["experiment", "all", "--short", ...out]);
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
    // A machine that others keep busy tells nothing; it is no broken promise.
    const isBusy = (reason: string) => /machine (was|is too) busy/.test(reason);
    const unclear = experiments.filter(({ verdict }) => verdict !== "held");
    for (const { verdict, reasons } of unclear) {
      assert.equal(verdict, "unknown", run.text());
      assert.ok(reasons.length > 0 && reasons.every(isBusy), run.text());
    }
    assert.equal(code === 0, unclear.length === 0, run.text());
    const short = CATALOGUE.filter(({ isShort }) => isShort);
    assert.deepEqual(
      experiments.map(({ name }) => name),
      short.map(({ name }) => name),
    );
    assert.match(info.command, /^\.\/denow task experiment run .*--seed 1$/);
  });
});
