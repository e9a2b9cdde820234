import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programCommand } from "./programs.ts";

for (const name of ["server", "client"] as const) {
  Deno.test(`programCommand() starts the ${name} with its own permissions`, () => {
    const { command, args, cwd } = programCommand(name, ["--flag", "5"]);
    assert.equal(command, Deno.execPath());
    assert.equal(args[0], "run");
    assert.deepEqual(args.slice(-4), [
      ...[`-P=${name}`, `src/${name}.ts`],
      ...["--flag", "5"],
    ]);
    assert.ok(existsSync(join(cwd, `src/${name}.ts`)));
  });
}
