import assert from "node:assert/strict";
import { dirname } from "node:path";
import { sha256OfFile } from "./digest.ts";
import { KIT_SUMS, parseSums, requireKitFiles } from "./kit.ts";

/** A kit of two files, one of them an executable. */
async function inKit(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${await Deno.makeTempDir({ prefix: "kit-test-" })}/`;
  try {
    let sums = "";
    for (const path of ["envoy.yaml", "parts/k6"]) {
      await Deno.mkdir(dirname(folder + path), { recursive: true });
      await Deno.writeTextFile(folder + path, path);
      sums += `${await sha256OfFile(folder + path)}  ${path}\n`;
    }
    await Deno.writeTextFile(folder + KIT_SUMS, sums);
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("requireKitFiles() accepts a kit as it was packed", async () => {
  await inKit((folder) => requireKitFiles(folder, () => true, ["parts/k6"]));
});

for (
  const [what, change, message] of [
    [
      "a missing file",
      (folder: string) => Deno.remove(`${folder}parts/k6`),
      `This kit has no "parts/k6", and a kit fetches nothing; unpack the ` +
      "kit's archive again",
    ],
    [
      "a changed file",
      (folder: string) => Deno.writeTextFile(`${folder}envoy.yaml`, "x"),
      `"envoy.yaml" in this kit is not as it was packed: its digest is not ` +
      "the one in SHA256SUMS; unpack the kit's archive again, and change " +
      "copies only",
    ],
    [
      "a folder in a file's place",
      async (folder: string) => {
        await Deno.remove(`${folder}envoy.yaml`);
        await Deno.mkdir(`${folder}envoy.yaml`);
      },
      `Cannot read "envoy.yaml" in this kit: Is a directory (os error 21); ` +
      "unpack the kit's archive again",
    ],
    [
      "no digests",
      (folder: string) => Deno.writeTextFile(folder + KIT_SUMS, "\n"),
      `This kit has no "SHA256SUMS", and a kit fetches nothing; unpack the ` +
      "kit's archive again",
    ],
    [
      "a part that no digest is for",
      (folder: string) =>
        Deno.writeTextFile(folder + KIT_SUMS, `${"0".repeat(64)}  other\n`),
      `This kit has no "parts/k6", and a kit fetches nothing; unpack the ` +
      "kit's archive again",
    ],
  ] as const
) {
  Deno.test(`requireKitFiles() refuses ${what}`, async () => {
    await inKit(async (folder) => {
      await change(folder);
      await assert.rejects(
        requireKitFiles(folder, () => true, ["parts/k6"]),
        { name: "Failure", kind: "environment", message },
      );
    });
  });
}

Deno.test("requireKitFiles() leaves out what is not meant", async () => {
  await inKit(async (folder) => {
    await Deno.remove(`${folder}parts/k6`);
    await requireKitFiles(folder, (path) => path === "envoy.yaml");
  });
});

Deno.test("parseSums() reads what sha256sum writes", () => {
  const digest = "a1".repeat(32);
  assert.deepEqual(
    [...parseSums(`${digest}  a b\n${digest} *c\nnothing\n${digest}  \n`)],
    [["a b", digest], ["c", digest]],
  );
});
