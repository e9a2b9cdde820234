/** bootstrap/kubernetes.ts where kubectl reaches a cluster of somebody else. */
import assert from "node:assert/strict";
import denoJson from "../deno.json" with { type: "json" };
import { copyProject, start } from "./programs.ts";

/** A cluster of two nodes, whose second lacks an image. */
const KUBECTL = `#!/bin/sh
case "$*" in
  version*) echo "Client Version: v${denoJson.toolVersions.kubectl}";;
  *--raw=/readyz) echo ok;;
  "get nodes "*)
    echo docker.io/library/server:latest docker.io/library/load:latest
    echo docker.io/library/server:latest;;
  *) echo "unexpected: $*" >&2; exit 9;;
esac
`;

Deno.test("bootstrap/kubernetes.ts uses a cluster that KUBECTL reaches, and starts nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kubernetes-test-" });
  try {
    await copyProject(folder);
    const path = `${folder}/a-kubectl`;
    await Deno.writeTextFile(path, KUBECTL, { mode: 0o755 });
    const bootstrap = async (...words: readonly string[]) => {
      const run = start(
        Deno.execPath(),
        ["run", "-q", "-P=build", "bootstrap/kubernetes.ts", ...words],
        // No kubectl is found by its name.
        { KUBECTL: path, PATH: "/usr/bin:/bin" },
        folder,
      );
      const code = await run.ended;
      assert.deepEqual(run.leftovers(), []);
      return [code, run.text().trim()];
    };
    // First, as without it "up" would start a cluster.
    assert.deepEqual(await bootstrap("status"), [
      0,
      "kubectl reaches a cluster that was not started here",
    ]);
    assert.deepEqual(await bootstrap("up"), [
      0,
      "kubectl reaches a cluster; it is used, and nothing is started",
    ]);
    assert.deepEqual(await bootstrap("load", "server"), [
      0,
      "The cluster, which was not started here, has these images",
    ]);
    assert.deepEqual(await bootstrap("load", "server", "load"), [
      3,
      "kubernetes: The cluster that kubectl reaches was not started here, and " +
      "a node of it lacks load; load them in its own way, as `kind load " +
      "docker-image` or `k3s ctr images import`",
    ]);
    assert.deepEqual(await bootstrap("down"), [
      0,
      "Nothing to take down: no cluster was started here",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
