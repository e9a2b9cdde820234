/** A flag that names a file or a folder means it from where it was typed. */
import assert from "node:assert/strict";
import { ROOT, start, startSource } from "./programs.ts";

/** Nothing can be read or written there. */
const TYPED = "file/nothing";

/** How to start the program of each such flag, by its row's file and name. */
const FLAGS: Readonly<
  Record<string, readonly ["client" | "lab" | "tools", ...string[]]>
> = {
  "src/client/config.ts --tls": ["client"],
  "src/lab/experiment.ts --config": ["lab", "experiment", "run", "kill-one"],
  "src/lab/experiment.ts --out": ["lab", "experiment", "run", "kill-one"],
  "src/lab/serve.ts --dir": ["lab", "serve"],
  "src/lab/up_flags.ts --config": ["lab", "up"],
  "tools/build/output.ts --out": ["tools", "build.ts"],
  "tools/kit.ts --parts": ["tools", "kit.ts"],
  "tools/lessons.ts --kit": ["tools", "lessons.ts"],
};

/** Rows of flags whose value is a path, as `FLAGS` calls them. */
function pathFlags(folder: string): readonly string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(
    ({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      if (isDirectory) return pathFlags(path);
      if (!path.endsWith(".ts")) return [];
      const rows = Deno.readTextFileSync(ROOT + path)
        .matchAll(/name: "(\S+)",\s+placeholder: "(?:DIR|FILE|FOLDER)"/g);
      return [...rows].map(([, flag]) => `${path} --${flag}`);
    },
  );
}

Deno.test("every flag that names a file or a folder is tested here", () => {
  const found = ["src", "tools", "bootstrap"].flatMap(pathFlags);
  assert.deepEqual(found.sort(), Object.keys(FLAGS).sort());
});

for (const [row, [program, ...words]] of Object.entries(FLAGS)) {
  Deno.test(`${row} is relative to the caller's folder`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "paths-test-" });
    await Deno.writeTextFile(`${folder}/file`, "");
    const flag = row.replace(/^\S+ /, "");
    const args = [...words, flag, TYPED];
    const env = { INIT_CWD: folder };
    const run = program === "tools"
      ? start(Deno.execPath(), [
        ...["run", "-q", "-P=build", `tools/${args[0]}`, ...args.slice(1)],
      ], env)
      : startSource(program, args, env);
    assert.notEqual(await run.ended, 0);
    assert.ok(run.text().includes(`"${folder}/file`), run.text());
    assert.deepEqual(run.leftovers(), []);
    await Deno.remove(folder, { recursive: true });
  });
}
