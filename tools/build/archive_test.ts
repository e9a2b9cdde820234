import assert from "node:assert/strict";
import { runToEnd } from "../../src/io/processes.ts";
import { sha256OfFile } from "../../src/io/digest.ts";
import { writeArchive } from "./archive.ts";

async function inFolder(work: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "archive-test-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeArchive() is understood by tar", async () => {
  await inFolder(async (folder) => {
    // Just under, at, and just over tar's block size, and nothing at all.
    const sizes = { a: 511, b: 512, c: 513, empty: 0 };
    for (const [name, size] of Object.entries(sizes)) {
      await Deno.writeTextFile(
        `${folder}/${name}`,
        name[0]?.repeat(size) ?? "",
      );
    }
    await writeArchive(
      `${folder}/x.tar.gz`,
      "top",
      { cwd: `${folder}/`, names: Object.keys(sizes) },
      { isExecutable: (name) => name === "a" },
    );
    const { code, stderr } = await runToEnd("tar", [
      ...["-xzf", `${folder}/x.tar.gz`, "-C", folder],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    for (const [name, size] of Object.entries(sizes)) {
      const path = `${folder}/top/${name}`;
      assert.equal(
        await Deno.readTextFile(path),
        name[0]?.repeat(size),
      );
      assert.equal(
        ((await Deno.stat(path)).mode ?? 0) & 0o777,
        name === "a" ? 0o755 : 0o644,
      );
    }
  });
});

Deno.test("writeArchive() gives the same bytes later, elsewhere", async () => {
  const digests: string[] = [];
  for (const time of [new Date(0), new Date()]) {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/a`, "content");
      await Deno.utime(`${folder}/a`, time, time);
      await writeArchive(`${folder}/x.tar.gz`, "top", {
        cwd: folder,
        names: ["a"],
      });
      digests.push(await sha256OfFile(`${folder}/x.tar.gz`));
    });
  }
  assert.equal(digests[0], digests[1]);
});

Deno.test("writeArchive() ends early when it is aborted", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "content");
    const signal = AbortSignal.abort();
    await assert.rejects(
      writeArchive(
        `${folder}/x.tar.gz`,
        "top",
        { cwd: folder, names: ["a"] },
        { signal },
      ),
      { name: "AbortError" },
    );
  });
});
