import assert from "node:assert/strict";
import {
  durationMs,
  hostAndPort,
  hostPort,
  partOfOne,
  port,
  positiveNumber,
  wholeNumber,
  words,
} from "./values.ts";

for (
  const [parserName, parse, good, bad] of [
    ["wholeNumber(1, 10)", wholeNumber(1, 10), ["1", "10", "007"], [
      "0",
      "11",
      "1.5",
      "1e1",
      "-1",
      " 1",
      "0x1",
      "",
    ]],
    ["positiveNumber(10)", positiveNumber(10), ["10", "0.5", ".5"], [
      "0",
      "10.1",
      "-1",
      "1e1",
      "5.",
      "Infinity",
      "",
    ]],
    ["port(0)", port(0), ["0", "65535"], ["65536"]],
    ["port()", port(), ["1", "65535"], ["0", "65536"]],
    ["words(3)", words(3), ["a", "abc"], ["", "abcd"]],
    ["hostAndPort", hostAndPort, [
      "localhost:5000",
      "127.0.0.1:1",
      "[::1]:65535",
      "my-host.example:80",
      "my_envoy:5000",
      "[::ffff:127.0.0.1]:5000",
      "[fe80::1%eth0]:5000",
    ], [
      "localhost",
      "localhost:",
      ":80",
      "a:0",
      "a:65536",
      "::1:80",
      "[::1]",
      "[1]:80",
      "a b:1",
      "dns:///a:80",
      "a/b:80",
    ]],
    ["durationMs(1000)", durationMs(1000), ["1s", "1000ms", "2m", "24h"], [
      "0s",
      "999ms",
      "25h",
      "30",
      "1.5s",
      "s",
      "",
    ]],
    ["partOfOne", partOfOne, ["0.01", ".5", "0.99"], [
      "0",
      "1",
      "-0.1",
      "1%",
      "",
    ]],
  ] as const
) {
  Deno.test(`${parserName} takes what it says and nothing else`, () => {
    for (const text of good) assert.doesNotThrow(() => parse(text), text);
    for (const text of bad) {
      assert.throws(() => parse(text), { name: "RangeError" }, text);
    }
  });
}

Deno.test("durationMs() counts milliseconds", () => {
  assert.equal(durationMs(0)("1500ms"), 1500);
  assert.equal(durationMs(0)("2m"), 120_000);
});

for (
  const [host, expected] of [
    ["127.0.0.1", "127.0.0.1:80"],
    ["localhost", "localhost:80"],
    ["my_envoy", "my_envoy:80"],
    ["::1", "[::1]:80"],
    ["[::1]", "[::1]:80"],
    ["::", "[::]:80"],
  ] as const
) {
  Deno.test(`hostPort() writes ${host} as it can be typed again`, () => {
    assert.equal(hostPort(host, 80), expected);
    assert.equal(hostAndPort(expected), expected);
  });
}
