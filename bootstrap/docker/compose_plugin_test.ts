import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { isCompose, packageOfComposeV2 } from "./compose_plugin.ts";

function policy(name: string, candidate: string): string {
  return `${name}:\n  Installed: (none)\n  Candidate: ${candidate}\n` +
    `  Version table:\n     ${candidate} 500\n`;
}

Deno.test("packageOfComposeV2() takes the first that is version 2 or newer", () => {
  const rows = [
    ["Debian 12", policy("docker-compose", "1.29.2-3"), undefined],
    ["Debian 13", policy("docker-compose", "2.26.1-4"), "docker-compose"],
    [
      "Ubuntu",
      policy("docker-compose-v2", "2.40.3+ds1-0ubuntu1") +
      policy("docker-compose", "1.29.2-6"),
      "docker-compose-v2",
    ],
    ["an epoch", policy("docker-compose", "1:2.1.0"), "docker-compose"],
    ["no candidate", policy("docker-compose", "(none)"), undefined],
    ["no package", "", undefined],
  ] as const;
  for (const [what, printed, name] of rows) {
    assert.equal(packageOfComposeV2(printed), name, what);
  }
});

Deno.test("isCompose() is true for the pinned version only", async () => {
  const path = await Deno.makeTempFile({ prefix: "compose-test-" });
  try {
    const rows = [
      ["the pinned version", `echo ${config.toolVersions.compose}`, true],
      ["another version", "echo 2.0.0", false],
      ["an empty file", undefined, false],
      ["one that crashes", "kill -SEGV $$", false],
    ] as const;
    for (const [what, script, expected] of rows) {
      const text = script === undefined ? "" : `#!/bin/sh\n${script}\n`;
      await Deno.writeTextFile(path, text);
      await Deno.chmod(path, 0o755);
      assert.equal(await isCompose(path), expected, what);
    }
    await Deno.chmod(path, 0o644);
    assert.equal(await isCompose(path), false, "not executable");
  } finally {
    await Deno.remove(path);
  }
});
