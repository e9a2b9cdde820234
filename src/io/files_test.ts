import assert from "node:assert/strict";
import { sha256OfFile } from "./files.ts";

Deno.test("sha256OfFile() gives what sha256sum gives", async () => {
  const path = await Deno.makeTempFile({ prefix: "files-test-" });
  await Deno.writeTextFile(path, "abc");
  const digest = await sha256OfFile(path);
  await Deno.remove(path);
  assert.equal(
    digest,
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
