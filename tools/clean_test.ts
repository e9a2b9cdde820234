import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { clean } from "./clean.ts";

Deno.test("clean() removes what was made, and nothing else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "clean-test-" });
  try {
    for (const name of [".tools/deno-1.2.3", "reports", "src", "my/05-panic"]) {
      await Deno.mkdir(join(folder, name), { recursive: true });
    }
    const k6Reports = join(folder, "loadtest/reports");
    await Deno.mkdir(k6Reports, { recursive: true });
    for (const name of [".gitignore", "grpc.html"]) {
      await Deno.writeTextFile(join(k6Reports, name), "");
    }
    const root = pathToFileURL(`${folder}/`);
    assert.deepEqual(
      await clean(root),
      [".tools", "reports", "loadtest/reports"],
    );
    assert.deepEqual(
      [...Deno.readDirSync(folder)].map((entry) => entry.name).sort(),
      ["loadtest", "my", "src"],
    );
    assert.deepEqual(
      [...Deno.readDirSync(k6Reports)].map((entry) => entry.name),
      [".gitignore"],
    );
    assert.deepEqual(await clean(root), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
