import assert from "node:assert/strict";
import {
  bannedWords,
  fileLength,
  importDirection,
  type Rule,
  versionDrift,
} from "./rules.ts";

const VERSIONS = { deno: "1.2.3", envoy: "4.5.6" };

function repository(envoy: string): Parameters<Rule>[0] {
  return [
    { path: "deno.json", text: JSON.stringify({ toolVersions: VERSIONS }) },
    { path: "Dockerfile", text: "ARG I=denoland/deno:debian-1.2.3\n" },
    { path: "compose.yaml", text: `envoyproxy/envoy:distroless-v${envoy}` },
    { path: "envoy.yaml", text: "# for Envoy 4.5.6." },
  ];
}

const CASES: readonly {
  readonly sentence: string;
  readonly rule: Rule;
  readonly files: Parameters<Rule>[0];
  readonly complaints: number;
}[] = [
  {
    sentence: "a file of 300 lines passes",
    rule: fileLength,
    files: [{ path: "src/a.ts", text: "x\n".repeat(300) }],
    complaints: 0,
  },
  {
    sentence: "a file of 301 lines does not",
    rule: fileLength,
    files: [{ path: "src/a.ts", text: "x\n".repeat(301) }],
    complaints: 1,
  },
  {
    sentence: "io may import core",
    rule: importDirection,
    files: [{ path: "src/io/a.ts", text: 'import "../core/b.ts";' }],
    complaints: 0,
  },
  {
    sentence: "core may not import io",
    rule: importDirection,
    files: [{ path: "src/core/a.ts", text: 'import { b } from "../io/b.ts";' }],
    complaints: 1,
  },
  {
    sentence: "the client may not import the server",
    rule: importDirection,
    files: [{
      path: "src/client/a.ts",
      text: 'export * from "../server/b.ts";',
    }],
    complaints: 1,
  },
  {
    sentence: "the lab may not import tools",
    rule: importDirection,
    files: [{ path: "src/lab/a.ts", text: 'import "../../tools/b.ts";' }],
    complaints: 1,
  },
  {
    sentence: "the product may not import the bootstrap",
    rule: importDirection,
    files: [{ path: "src/stack/a.ts", text: 'import "../../bootstrap/b.ts";' }],
    complaints: 1,
  },
  {
    sentence: "a file in no room is found",
    rule: importDirection,
    files: [{ path: "src/attic/a.ts", text: "" }],
    complaints: 1,
  },
  {
    sentence: "a registry's host is found",
    rule: bannedWords,
    files: [{ path: "denow", text: "curl https://registry.npmjs.org/x" }],
    complaints: 1,
  },
  {
    sentence: "a path of one machine is found",
    rule: bannedWords,
    files: [{ path: "README.md", text: "see /root/thing" }],
    complaints: 1,
  },
  {
    sentence: "agreeing versions pass",
    rule: versionDrift,
    files: repository("4.5.6"),
    complaints: 0,
  },
  {
    sentence: "a version that drifted is found",
    rule: versionDrift,
    files: repository("4.5.7"),
    complaints: 1,
  },
  {
    sentence: "a file without the version it must have is found",
    rule: versionDrift,
    files: repository("4.5.6").filter(({ path }) => path !== "compose.yaml"),
    complaints: 1,
  },
];

for (const { sentence, rule, files, complaints } of CASES) {
  Deno.test(`${rule.name}(): ${sentence}`, () => {
    assert.equal(rule(files).length, complaints);
  });
}
