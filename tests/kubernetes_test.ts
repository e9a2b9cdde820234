/**
 * The demo on the cluster of bootstrap/kubernetes.ts, with the images loaded
 * that docs/kubernetes.md names. Its callers are on the node.
 */
import assert from "node:assert/strict";
import { PROJECT } from "../bootstrap/docker/machine.ts";
import { KUBECONFIG } from "../bootstrap/kubernetes/node.ts";
import { programPath } from "../bootstrap/kubernetes/programs.ts";
import { readStarted } from "../bootstrap/kubernetes/state.ts";
import { runToEnd } from "../src/io/processes.ts";
import { print } from "../src/io/terminal.ts";
import { pause } from "../src/io/wait.ts";

const hasCluster = await readStarted() !== undefined;
if (!hasCluster) {
  print("The test on Kubernetes is skipped: bootstrap/kubernetes.ts is not up");
}

const FOLDER = `${PROJECT}deploy/kubernetes`;

/** Runs kubectl in the demo's namespace. */
async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(programPath("kubectl"), [
    `--kubeconfig=${KUBECONFIG}`,
    "--namespace=grpc-demo",
    ...args,
  ]);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function isRolledOut(name: string): Promise<void> {
  await kubectl("rollout", "status", `deployment/${name}`, "--timeout=90s");
}

/** How long the load lasts; a rollout takes 6 s and then 10 s of drain. */
const LOAD_S = 24;

/**
 * Calls per second. At 200, a server that a busy machine stops for half a second
 * has more calls than the retry budget of 20, whatever rolls.
 */
const RATE = 100;

/** The calls that fail while a Deployment rolls. */
async function lostDuringRollout(name: string): Promise<readonly unknown[]> {
  const address = await kubectl(
    ...["get", "service", "envoy", "--output=jsonpath={.spec.clusterIP}"],
  );
  const load = runToEnd(Deno.execPath(), [
    ...["run", "-q", "-P=client", `${PROJECT}src/client.ts`, "--json"],
    ...[
      "--target",
      `${address}:5000`,
      "--rate",
      String(RATE),
      "--connections",
      "4",
    ],
    ...["--work", "50", "--duration", String(LOAD_S)],
  ], { cwd: PROJECT });
  await pause(3_000);
  await kubectl("rollout", "restart", `deployment/${name}`);
  await isRolledOut(name);
  const { stdout, stderr } = await load;
  const calls = stdout.trimEnd().split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ type }) => type === "call");
  // Nearly all calls were made; what a busy machine skips is no call.
  assert.ok(calls.length > 0.9 * RATE * LOAD_S, stderr);
  return calls.filter(({ kind }) => kind !== "reply");
}

Deno.test({
  name: "Envoys and servers roll without a lost call, unless they do not drain",
  ignore: !hasCluster,
  fn: async () => {
    await kubectl("apply", "--kustomize", FOLDER);
    try {
      for (const name of ["grpc-server", "envoy"]) await isRolledOut(name);
      assert.deepEqual(await lostDuringRollout("envoy"), []);
      assert.deepEqual(await lostDuringRollout("grpc-server"), []);
      // The control: SIGTERM comes at once.
      await kubectl(
        ...["patch", "deployment", "envoy", "--type=json", "--patch"],
        JSON.stringify([{
          op: "remove",
          path: "/spec/template/spec/containers/0/lifecycle",
        }]),
      );
      await isRolledOut("envoy");
      assert.notDeepEqual(await lostDuringRollout("envoy"), [], "control");
    } finally {
      await kubectl("delete", "--kustomize", FOLDER, "--ignore-not-found");
    }
  },
});
