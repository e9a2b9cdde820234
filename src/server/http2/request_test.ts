import assert from "node:assert/strict";
import type { Field } from "./hpack.ts";
import {
  answerFields,
  checkTrailers,
  requestHeaders,
  trailerFields,
} from "./request.ts";

const REQUEST: readonly Field[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/a.B/C"],
];

/** A request without one of its fields. */
function without(name: string): readonly Field[] {
  return REQUEST.filter(([each]) => each !== name);
}

Deno.test("requestHeaders() gives the headers by name, values joined", () => {
  const headers = requestHeaders([
    ...REQUEST,
    [":authority", "localhost"],
    ["te", "trailers"],
    ["x-many", "1"],
    ["x-many", "2"],
    ["__proto__", "no trap"],
  ]);
  assert.deepEqual(
    Object.entries(headers),
    [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", "/a.B/C"],
      [":authority", "localhost"],
      ["te", "trailers"],
      ["x-many", "1, 2"],
      ["__proto__", "no trap"],
    ],
  );
});

for (
  const [why, fields, message] of [
    ["it has no method", without(":method"), "no :method"],
    ["it has no scheme", without(":scheme"), "no :scheme"],
    ["it has no path", without(":path"), "no :path"],
    ["its path is empty", [...without(":path"), [":path", ""]], "no :path"],
    [
      "a pseudo-header comes late",
      [...without(":path"), ["a", "b"], [":path", "/"]],
      "a pseudo-header after a header",
    ],
    [
      "it has an answer's pseudo-header",
      [...REQUEST, [":status", "200"]],
      "an unknown pseudo-header",
    ],
    [
      "a pseudo-header comes twice",
      [...REQUEST, [":path", "/"]],
      "a repeated pseudo-header",
    ],
    ["a name is empty", [...REQUEST, ["", "a"]], "a bad header name"],
    ["a name has capitals", [...REQUEST, ["A", "a"]], "a bad header name"],
    [
      "a name has a space",
      [...REQUEST, ["a b", "a"]],
      "a bad header name",
    ],
    [
      "a name has a colon",
      [...REQUEST, ["a:b", "a"]],
      "a bad header name",
    ],
    [
      "a value ends a line",
      [...REQUEST, ["a", "\n"]],
      "a bad header value",
    ],
    [
      "a second value ends a line",
      [...REQUEST, ["a", "1"], ["a", "\r2"]],
      "a bad header value",
    ],
    [
      "its path has an octet 0",
      [...without(":path"), [":path", "/\0"]],
      "a bad header value",
    ],
    [
      "it is of HTTP/1.1",
      [...REQUEST, ["connection", "close"]],
      "a connection-specific header",
    ],
    [
      "it takes no trailers",
      [...REQUEST, ["te", "gzip"]],
      "an invalid te",
    ],
  ] satisfies [string, readonly Field[], string][]
) {
  Deno.test(`requestHeaders() refuses a request: ${why}`, () => {
    assert.throws(() => requestHeaders(fields), {
      name: "StreamError",
      code: 1,
      message: `malformed request: ${message}`,
    });
  });
}

Deno.test("requestHeaders() does without what was cut off", () => {
  const cut = requestHeaders(REQUEST.slice(0, 1), true);
  assert.deepEqual({ ...cut }, { ":method": "POST" });
  assert.throws(() => requestHeaders([["A", "a"]], true), {
    name: "StreamError",
  });
});

Deno.test("checkTrailers() refuses what may not stand behind data", () => {
  checkTrailers([["x-checksum", "1"], ["x-checksum", "2"]]);
  for (const field of [[":path", "/"], ["A", ""], ["a", "\n"]] as const) {
    assert.throws(() => checkTrailers([field]), { name: "StreamError" });
  }
});

Deno.test("answerFields() begins with the status, 200 unless it is given", () => {
  assert.deepEqual(answerFields({ "grpc-status": 0 }), [
    [":status", "200"],
    ["grpc-status", "0"],
  ]);
  assert.deepEqual(answerFields({ a: "1", ":status": 415 }), [
    [":status", "415"],
    ["a", "1"],
  ]);
});

Deno.test("trailerFields() has a field for each value", () => {
  const nothing = { none: undefined, null: null, empty: [] };
  assert.deepEqual(trailerFields({ Many: ["1", "2"], ...nothing, one: 3 }), [
    ["many", "1"],
    ["many", "2"],
    ["one", "3"],
  ]);
});

for (
  const [why, value, sent] of [
    ["printable ASCII stays as it is", "a % b~", "a % b~"],
    ["other letters are percent-encoded", "für", "f%C3%BCr"],
    ["a line break cannot begin a new field", "a\r\nb: c", "a%0D%0Ab: c"],
    ["half a character is a whole one", "\ud800", "%EF%BF%BD"],
  ] as const
) {
  Deno.test(`trailerFields(): ${why}`, () => {
    assert.deepEqual(trailerFields({ name: value }), [["name", sent]]);
  });
}
