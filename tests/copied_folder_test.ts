/**
 * The project's folder, copied with its .tools to where there is no network:
 * everything that a run needs is in it.
 */
import assert from "node:assert/strict";
import { delimiter } from "node:path";
import config from "../deno.json" with { type: "json" };
import { onPath } from "../src/io/tools/path.ts";
import { testWhere } from "./needs.ts";
import { NETWORKLESS, networklessTest } from "./networkless.ts";
import { copyProject, ROOT, type Run, startIn } from "./programs.ts";

/**
 * What a copy must have; the rest of .tools is what Deno can make anew, or for
 * other commands.
 */
const NEEDED = [
  `deno-${config.toolVersions.deno}`,
  `envoy-${config.toolVersions.envoy}`,
  ...["deno-dir/npm", "deno-dir/deno.lock"],
];

/** This machine's own Deno and Envoy would stand in for a missing one. */
const PATH = (Deno.env.get("PATH") ?? "").split(delimiter)
  .filter((folder) =>
    ["deno", "envoy"].every((name) => onPath(name, () => folder).length === 0)
  ).join(delimiter);

const WHAT = "a copied folder";

const missing = await Promise.all(NEEDED.map(async (name) => {
  const isThere = await Deno.stat(`${ROOT}.tools/${name}`)
    .then(() => true, () => false);
  return isThere ? [] : [name];
}));
const [absent] = missing.flat();
const copyTest = absent === undefined
  ? await networklessTest(WHAT)
  : testWhere(WHAT, `.tools has no "${absent}", which comes from elsewhere`);

copyTest(
  "denow in a copied folder: a task and the first reply, without a network",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "copied-folder-test-" });
    const project = `${folder}/a copy`;
    const home = `${folder}/home`;
    try {
      await Deno.mkdir(home);
      await copyProject(project);
      await Deno.mkdir(`${project}/.tools/deno-dir`, { recursive: true });
      for (const name of NEEDED) {
        const copied = startIn(ROOT, [
          ...["cp", "-a", `.tools/${name}`, `${project}/.tools/${name}`],
        ]);
        assert.equal(await copied.ended, 0, copied.text());
      }
      const type = (...words: readonly string[]): Run =>
        startIn(project, [...NETWORKLESS, "./denow", ...words], {
          ...{ PATH, HOME: home, DENO_DIR: "", DENO: "", ENVOY: "" },
        });
      const list = type("task", "lesson", "list");
      assert.equal(await list.ended, 0, list.text());
      assert.match(list.text(), /^ +lesson +minutes /);
      const up = type("task", "up");
      await up.printed(/call 1 .* reply 1 /);
      up.process.kill("SIGINT");
      assert.equal(await up.ended, 0, up.text());
      assert.doesNotMatch(up.text(), /fetch/i);
      assert.deepEqual(up.leftovers(), []);
      assert.deepEqual([...Deno.readDirSync(home)], []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
