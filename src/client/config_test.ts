import assert from "node:assert/strict";
import { parseFlags } from "../core/flags.ts";
import { CLIENT_FLAGS } from "./config.ts";

Deno.test("CLIENT_FLAGS calls localhost:5000 once a second unless told", () => {
  assert.deepEqual(parseFlags(CLIENT_FLAGS, []).values, {
    target: "localhost:5000",
    ratePerS: 1,
    concurrency: 100,
    deadlineMs: 2000,
    count: 0,
    durationS: 0,
    connections: 1,
    method: "SayHello",
    characters: 5,
    tlsFolder: "",
    workMs: 0,
    json: false,
  });
});

Deno.test("CLIENT_FLAGS takes no duration that is too long for a timer", () => {
  const { parse } = CLIENT_FLAGS.durationS;
  const longest = 2_000_000;
  assert.equal(parse(String(longest)), longest);
  assert.ok(longest * 1000 < 2 ** 31);
  assert.throws(() => parse(String(longest + 1)), { name: "RangeError" });
});

for (const target of ["localhost", "localhost:0", "http://localhost:5000"]) {
  Deno.test(`CLIENT_FLAGS refuses the target ${target}`, () => {
    assert.throws(() => parseFlags(CLIENT_FLAGS, ["--target", target]), {
      name: "Failure",
      message:
        /^--target must be HOST:PORT, for example localhost:5000 or \[::1\]:5000: "/,
    });
  });
}
