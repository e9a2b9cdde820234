import assert from "node:assert/strict";
import { encodeHeaders, type Field, HpackDecoder } from "./hpack.ts";

const LIST_BYTES_MAX = 16_384;

function bytes(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

function decoded(...blocks: readonly string[]): (readonly Field[])[] {
  const decoder = new HpackDecoder(LIST_BYTES_MAX);
  return blocks.map((block) => decoder.decode(bytes(block)).fields);
}

const CUSTOM: Field = ["custom-key", "custom-header"];

for (
  const [section, what, block, field] of [
    [
      "C.2.1",
      "a new field",
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      CUSTOM,
    ],
    [
      "C.2.2",
      "a field with a known name, not indexed",
      "040c 2f73 616d 706c 652f 7061 7468",
      [":path", "/sample/path"],
    ],
    [
      "C.2.3",
      "a field never indexed",
      "1008 7061 7373 776f 7264 0673 6563 7265 74",
      ["password", "secret"],
    ],
    ["C.2.4", "a field of the static table", "82", [":method", "GET"]],
  ] as const
) {
  Deno.test(`HpackDecoder decodes ${what} (RFC 7541, ${section})`, () => {
    assert.deepEqual(decoded(block), [[field]]);
  });
}

const GET: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];

const REQUESTS: readonly (readonly Field[])[] = [
  GET,
  [...GET, ["cache-control", "no-cache"]],
  [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ],
];

const FOUND: readonly Field[] = [
  [":status", "302"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
  ["location", "https://www.example.com"],
];

/** Decoded with a table of 256 bytes, so that fields are evicted. */
const RESPONSES: readonly (readonly Field[])[] = [
  FOUND,
  [[":status", "307"], ...FOUND.slice(1)],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    [
      "set-cookie",
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ],
];

/** A table size update to 256 bytes. */
const SIZE_256 = "3fe101";

for (
  const [section, what, blocks, lists] of [
    [
      "C.3",
      "requests, each after the one before",
      [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 " +
        "6c75 65",
      ],
      REQUESTS,
    ],
    [
      "C.4",
      "requests in Huffman code",
      [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ],
      REQUESTS,
    ],
    [
      "C.5",
      "responses that evict fields",
      [
        `${SIZE_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 ` +
        "3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 " +
        "7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 " +
        "3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 " +
        "514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 " +
        "2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
      ],
      RESPONSES,
    ],
    [
      "C.6",
      "responses that evict fields, in Huffman code",
      [
        `${SIZE_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 ` +
        "2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 " +
        "e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff " +
        "c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af " +
        "2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
      ],
      RESPONSES,
    ],
  ] as const
) {
  Deno.test(`HpackDecoder decodes ${what} (RFC 7541, ${section})`, () => {
    assert.deepEqual(decoded(...blocks), lists);
  });
}

/** "custom-key: custom-header" is put into the table. */
const ADD_CUSTOM =
  "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";

/** Index 62 is the newest field of the dynamic table. */
const NEWEST = "be";

Deno.test("HpackDecoder forgets its table when the size becomes 0", () => {
  assert.deepEqual(decoded(ADD_CUSTOM, NEWEST), [[CUSTOM], [CUSTOM]]);
  assert.throws(() => decoded(ADD_CUSTOM, `20 ${NEWEST}`), {
    message: "an invalid index",
  });
});

Deno.test("HpackDecoder takes several sizes at the start of a block", () => {
  const blocks = [ADD_CUSTOM, `20 3fe11f ${ADD_CUSTOM}`, NEWEST];
  assert.deepEqual(decoded(...blocks), [[CUSTOM], [CUSTOM], [CUSTOM]]);
});

Deno.test("HpackDecoder keeps no field that is larger than its table", () => {
  // With the size 54, a field of 10 + 13 + 32 bytes has no room.
  assert.throws(() => decoded(`3f17 ${ADD_CUSTOM}`, NEWEST), {
    message: "an invalid index",
  });
  assert.deepEqual(decoded(`3f18 ${ADD_CUSTOM}`, NEWEST), [[CUSTOM], [CUSTOM]]);
});

for (
  const [why, block, message] of [
    ["index 0 stands for nothing", "80", "an invalid index"],
    ["the static table ends at 61", NEWEST, "an invalid index"],
    ["no table has 10,000 fields", "ff914d", "an invalid index"],
    [
      "a name's index is checked, too",
      "7f10 0161",
      "an invalid index",
    ],
    [
      "an integer has 28 bits at the most",
      "ffffffffffff0f",
      "an integer above the limit",
    ],
    ["an integer is truncated", "ff80", "a truncated block"],
    ["a name is missing", "40", "a truncated block"],
    ["a name is truncated", "400a 6375", "a truncated string"],
    ["a value is missing", "4001 61", "a truncated block"],
    ["a value is truncated", "0402 2f", "a truncated string"],
    [
      "a length is larger than memory",
      "04 7fffffff7f",
      "a truncated string",
    ],
    ["padding is not of ones", "0481 18", "a malformed Huffman string"],
    [
      "padding is longer than 7 bits",
      "0482 1fff",
      "a malformed Huffman string",
    ],
    [
      "the end of string is coded",
      "0484 ffff fffc",
      "a malformed Huffman string",
    ],
    [
      "the table becomes larger than allowed",
      "3fe21f",
      "an oversized table",
    ],
    [
      "the table's size changes behind a field",
      "82 20",
      "a table size update after a field",
    ],
  ] as const
) {
  Deno.test(`HpackDecoder refuses a block: ${why}`, () => {
    assert.throws(() => decoded(block), { name: "Http2Error", message });
  });
}

Deno.test("HpackDecoder cuts a short block that stands for a huge list", () => {
  const decoder = new HpackDecoder(LIST_BYTES_MAX);
  // 4000 bytes in the table, referenced 20,000 times, one byte each.
  const value = new Uint8Array(4000).fill(0x61);
  const add = [0x40, 1, 0x62, 0x7f, 0xa1, 0x1e, ...value];
  const block = Uint8Array.from([...add, ...new Array(20_000).fill(0xbe)]);
  const { fields, isTooLong } = decoder.decode(block);
  assert.equal(isTooLong, true);
  assert.equal(fields.length, 4); // Of 4033 bytes each.
});

Deno.test("HpackDecoder's table stays in step after an oversized list", () => {
  const decoder = new HpackDecoder(10);
  const { fields, isTooLong } = decoder.decode(bytes(`82 ${ADD_CUSTOM}`));
  assert.deepEqual([fields, isTooLong], [[], true]);
  const roomy = new HpackDecoder(60);
  assert.equal(roomy.decode(bytes(`82 ${ADD_CUSTOM}`)).isTooLong, true);
  assert.deepEqual(roomy.decode(bytes(NEWEST)), {
    fields: [CUSTOM],
    isTooLong: false,
  });
});

for (
  const [why, fields, hex] of [
    ["a known field is a byte", [[":status", "200"]], "88"],
    ["a known name is an index", [["server", "a"]], "0f27 0161"],
    ["an unknown name is written", [["ab", "c"]], "0002 6162 0163"],
    [
      "a known name has a value of its own",
      [[":status", "302"]],
      "0803 333032",
    ],
    ["nothing is nothing", [], ""],
  ] as const
) {
  Deno.test(`encodeHeaders(): ${why}`, () => {
    assert.deepEqual(encodeHeaders(fields), bytes(hex));
  });
}

Deno.test("encodeHeaders() is undone by HpackDecoder", () => {
  const lengths = [0, 1, 126, 127, 128, 254, 255, 16_000];
  const decoder = new HpackDecoder(10 * LIST_BYTES_MAX);
  const fields = lengths.map((length): Field => [
    `x-${length}`,
    "v".repeat(length),
  ]);
  const all: readonly Field[] = [
    [":status", "200"],
    ["content-type", "application/grpc"],
    ["grpc-status", "0"],
    ["n".repeat(300), "v"],
    ...fields,
  ];
  assert.deepEqual(decoder.decode(encodeHeaders(all)), {
    fields: all,
    isTooLong: false,
  });
  // Nothing was put into the table.
  assert.throws(() => decoder.decode(bytes(NEWEST)), { name: "Http2Error" });
});
