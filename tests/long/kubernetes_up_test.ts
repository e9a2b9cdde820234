/** The command `up --kubernetes`, as people use it. */
import assert from "node:assert/strict";
import { Kubectl } from "../../src/stack/kubectl.ts";
import { UP_NAMESPACE } from "../../src/stack/namespace.ts";
import { CLUSTER_ENV, reachCluster, testOnCluster } from "../cluster.ts";
import { type Run, startSource } from "../programs.ts";
import { freePort } from "../stacks.ts";

function up(): Run {
  return startSource("lab", [
    ...["up", "--kubernetes", "--servers", "2"],
    ...["--port", `${freePort()}`, "--admin-port", `${freePort()}`],
    ...["--page-port", `${freePort()}`],
  ], CLUSTER_ENV);
}

/** Runs `ctl` to its end. @returns What it prints. */
async function ctl(page: string, ...words: readonly string[]): Promise<string> {
  const run = startSource("lab", ["ctl", ...words, "--page-port", page]);
  assert.equal(await run.ended, 0, run.text());
  return run.text();
}

/** The demo's namespace must not be there, and no program of the run. */
async function assertNothingLeft(run: Run): Promise<void> {
  // kubectl's, too: it has its environment from `up`.
  assert.deepEqual(run.leftovers(), []);
  const { kubectlPath, context } = await reachCluster();
  const kubectl = new Kubectl(kubectlPath, context, UP_NAMESPACE);
  const { stderr } = await kubectl.tryTo(["get", "namespace", UP_NAMESPACE]);
  assert.match(stderr, /not found/);
}

testOnCluster(
  "up --kubernetes obeys ctl, and Ctrl-C leaves nothing",
  async () => {
    const run = up();
    try {
      await run.printed(/live page +\S+\n/);
      const [, page = ""] =
        /live page +http:\/\/[^:]+:(\d+)/.exec(run.text()) ??
          [];
      await run.printed(/call 4 /);
      assert.match(run.text(), /call \d+ +server-1/);
      assert.match(run.text(), /call \d+ +server-2/);
      // The control: there is something that could be left.
      assert.match(run.leftovers().join("\n"), /kubectl.* port-forward/);
      await ctl(page, "scale", "3");
      assert.match(await ctl(page, "status"), /server-3/);
      await ctl(page, "kill", "server-1");
      assert.match(run.text(), /server-1 killed/);
    } finally {
      run.process.kill("SIGINT");
    }
    assert.equal(await run.ended, 0, run.text());
    assert.match(run.text(), /stopping on SIGINT/);
    await assertNothingLeft(run);
  },
);

for (
  const { moment, words } of [
    { moment: "the namespace is made", words: /starting in namespace/ },
    { moment: "servers start", words: /server-1 +\|/ },
  ]
) {
  testOnCluster(`Ctrl-C while ${moment} leaves nothing`, async () => {
    const run = up();
    await run.printed(words);
    run.process.kill("SIGINT");
    assert.equal(await run.ended, 0, run.text());
    assert.doesNotMatch(run.text(), /ready: /);
    await assertNothingLeft(run);
  });
}
