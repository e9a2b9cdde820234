import assert from "node:assert/strict";
import { decodeHuffman, latin1 } from "./huffman.ts";

for (
  const [why, hex, text] of [
    ["nothing", "", ""],
    ["a host", "f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
    [
      "a date",
      "d07abe941054d444a8200595040b8166e082a62d1bff",
      "Mon, 21 Oct 2013 20:13:21 GMT",
    ],
    ["one letter, padded", "1f", "a"],
    ["eight digits without padding", "0000000000", "00000000"],
    // Codes from RFC 7541, appendix B, padded with ones.
    ["the shortest code of 8 bits", "f8", "&"],
    ["a code of 10 bits", "fe3f", "!"],
    ["a code of 13 bits", "ffc7", "\0"],
    ["a code of 19 bits", "fffe1f", "\\"],
    ["a code of 20 bits", "fffe6f", "\x80"],
    ["the last code of 28 bits", "ffffffef", "ù"],
    ["a code of 30 bits", "fffffff3", "\n"],
    ["another code of 30 bits", "fffffffb", "\x16"],
    ["the end of string", "ffffffff", undefined],
    ["padding of zeros", "1c", undefined],
    ["eight bits of padding", "ff", undefined],
    ["padding behind a whole octet", "f8ff", undefined],
  ] as const
) {
  Deno.test(`decodeHuffman() decodes ${why}`, () => {
    assert.equal(decodeHuffman(Uint8Array.fromHex(hex)), text);
  });
}

Deno.test("latin1() takes more octets than a call takes arguments", () => {
  const octets = new Uint8Array(200_000).fill(0xe9);
  assert.equal(latin1(octets), "é".repeat(200_000));
});
