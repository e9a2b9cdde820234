import assert from "node:assert/strict";
import { type VersionFacts, versionLine } from "./version.ts";

const FACTS: VersionFacts = {
  version: "1.2.3",
  commit: "abc1234",
  deno: "2.8.3",
  pinnedDeno: "2.8.3",
};

const CASES: readonly (readonly [string, Partial<VersionFacts>, string])[] = [
  ["a binary", {}, "tool 1.2.3, commit abc1234, Deno 2.8.3"],
  [
    "a binary with a stand-in",
    { deno: "2.7.11" },
    "tool 1.2.3, commit abc1234, Deno 2.7.11 " +
    "(a stand-in runtime for Deno 2.8.3)",
  ],
  [
    "a program run from source",
    { commit: undefined },
    "tool 1.2.3, from source, Deno 2.8.3",
  ],
  [
    "a program run from source by another Deno",
    { commit: undefined, deno: "2.9.8" },
    "tool 1.2.3, from source, Deno 2.9.8",
  ],
];

for (const [what, facts, line] of CASES) {
  Deno.test(`versionLine() of ${what}`, () => {
    assert.equal(versionLine("tool", { ...FACTS, ...facts }), line);
  });
}
