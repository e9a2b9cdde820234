import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { sha256OfFile } from "./digest.ts";

for (
  const [what, text] of [
    ["an empty file", ""],
    ["a short file", "abc"],
    // More than one read.
    ["a long file", "a".repeat(1_500_000)],
  ] as const
) {
  Deno.test(`sha256OfFile() gives the digest of ${what}`, async () => {
    const path = await Deno.makeTempFile({ prefix: "digest-test-" });
    try {
      await Deno.writeTextFile(path, text);
      const bytes = await crypto.subtle.digest(
        "SHA-256",
        new TextEncoder().encode(text),
      );
      assert.equal(
        await sha256OfFile(path),
        Buffer.from(bytes).toString("hex"),
      );
    } finally {
      await Deno.remove(path);
    }
  });
}
