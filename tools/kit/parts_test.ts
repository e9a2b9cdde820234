import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { findParts, HOST, KIT_TARGETS, type KitTarget } from "./parts.ts";

const OPTIONS = {
  onProgress: () => {},
  signal: new AbortController().signal,
};

/** Another machine than this one. */
const OTHER: KitTarget = KIT_TARGETS.find((name) => name !== HOST) ??
  KIT_TARGETS[0];

async function inFolder(work: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "parts-test-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("findParts() needs a folder for another machine", async () => {
  await assert.rejects(findParts(OTHER, "", OPTIONS), {
    name: "Failure",
    message: `A kit for ${OTHER} needs deno, envoy and k6 for it, and this ` +
      `is ${HOST}; name a folder that has them with --parts (docs/kit.md)`,
  });
});

Deno.test("findParts() refuses what is not pinned", async () => {
  await inFolder(async (folder) => {
    for (const name of ["deno", "envoy", "k6"]) {
      await Deno.writeTextFile(`${folder}/${name}`, name);
    }
    await assert.rejects(findParts(OTHER, folder, OPTIONS), {
      name: "Failure",
      message: new RegExp(
        `^"${folder}/deno" is not the deno ${config.toolVersions.deno} that ` +
          `deno.json pins for ${OTHER}: its digest is sha256:[0-9a-f]{64}, ` +
          "not sha256:[0-9a-f]{64}; put that one there$",
      ),
    });
  });
});

Deno.test("findParts() says which part is missing", async () => {
  await inFolder(async (folder) => {
    await assert.rejects(findParts(OTHER, folder, OPTIONS), {
      name: "Failure",
      message: `Cannot read "${folder}/deno", the deno ` +
        `${config.toolVersions.deno} of a kit for ${OTHER}; put it there`,
    });
  });
});
