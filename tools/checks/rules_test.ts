import assert from "node:assert/strict";
import {
  bannedWords,
  bareCommands,
  importCircles,
  importDirection,
  longFiles,
  type Rule,
  versionDrift,
} from "./rules.ts";

const VERSIONS = {
  deno: "1.2.3",
  k6: "7.8.9",
  envoy: "4.5.6",
  "envoy-gateway": "3.4.5",
};

function repository(envoy: string): Parameters<Rule>[0] {
  return [
    { path: "deno.json", text: JSON.stringify({ toolVersions: VERSIONS }) },
    {
      path: "Dockerfile",
      text: "ARG I=denoland/deno:debian-1.2.3\nARG K=grafana/k6:7.8.9\n",
    },
    {
      path: "deploy/kubernetes/base/kustomization.yaml",
      text: "newTag: distroless-v4.5.6\n",
    },
    {
      path: "deploy/kubernetes/gateway/kustomization.yaml",
      text: "# of Envoy Gateway 3.4.5.\n",
    },
    { path: "docs/kubernetes.md", text: "definitions of Envoy Gateway 3.4.5" },
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
    sentence: "a file of 400 lines passes",
    rule: longFiles,
    files: [{ path: "src/a.ts", text: "x\n".repeat(400) }],
    complaints: 0,
  },
  {
    sentence: "a file of 401 lines does not",
    rule: longFiles,
    files: [{ path: "src/a.ts", text: "x\n".repeat(401) }],
    complaints: 1,
  },
  {
    sentence: "a folder without a row is found",
    rule: importDirection,
    files: [{ path: "src/utils/a.ts", text: "" }],
    complaints: 1,
  },
  {
    sentence: "a folder in tools without a row is found, by a test alone, too",
    rule: importDirection,
    files: [{ path: "tools/new/a_test.ts", text: "" }],
    complaints: 1,
  },
  {
    sentence: "a folder in a folder with a row has that row",
    rule: importDirection,
    files: [{ path: "src/lab/new/a.ts", text: 'import "../../io/b.ts";' }],
    complaints: 0,
  },
  {
    sentence: "the checks may import nothing of what they check",
    rule: importDirection,
    files: [{
      path: "tools/checks/a.ts",
      text: 'import "../../src/core/b.ts";',
    }],
    complaints: 1,
  },
  {
    sentence: "a circle of three, by a type, is found once",
    rule: importCircles,
    files: [
      { path: "src/io/a.ts", text: 'import "./b.ts";' },
      { path: "src/io/b.ts", text: 'export * from "./deep/c.ts";' },
      {
        path: "src/io/deep/c.ts",
        text: 'import type { A } from "../a.ts";',
      },
    ],
    complaints: 1,
  },
  {
    sentence: "two ways to one file are no circle",
    rule: importCircles,
    files: [
      { path: "src/io/a.ts", text: 'import "./b.ts";\nimport "./c.ts";' },
      { path: "src/io/b.ts", text: 'import "./c.ts";' },
      { path: "src/io/c.ts", text: 'import "../core/d.ts";' },
    ],
    complaints: 0,
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
    sentence: "a file in no layer is found",
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
    sentence: "a command without what is typed before it is found",
    rule: bareCommands,
    files: [
      { path: "src/lab/a.ts", text: 'print("try `lesson start 1`");' },
      { path: "src/lab/b.ts", text: "print(`try \\`deno task up --tls\\``);" },
    ],
    complaints: 2,
  },
  {
    sentence: "a command as it is typed passes, and so does a verb alone",
    rule: bareCommands,
    files: [
      {
        path: "src/lab/a.ts",
        text: "print(`try \\`${commandWords()} lesson start 1\\``);",
      },
      { path: "loadtest/b.js", text: '"start `./denow task up --tls`"' },
      { path: "src/lab/c.ts", text: '"Another `up` runs"; // `up --tls`' },
      { path: "src/lab/d.ts", text: "usage(`experiment run needs a name`);" },
    ],
    complaints: 0,
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
