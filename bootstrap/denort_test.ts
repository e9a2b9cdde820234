import assert from "node:assert/strict";
import { elfLength } from "./denort.ts";

function elfHeader(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(80);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(40, 97_073_000n, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 40, true);
  return bytes;
}

Deno.test("elfLength() ends behind the table of sections", () => {
  assert.equal(elfLength(elfHeader()), 97_073_000 + 64 * 40);
});

Deno.test("elfLength() refuses what is no 64-bit ELF file", () => {
  const error = {
    name: "RangeError",
    message: "Not a 64-bit little-endian ELF file",
  };
  assert.throws(() => elfLength(new Uint8Array(80)), error);
  assert.throws(() => elfLength(elfHeader().subarray(0, 63)), error);
  const narrow = elfHeader();
  narrow[4] = 1;
  assert.throws(() => elfLength(narrow), error);
});
