/** deploy/kubernetes as a reader applies it, in the namespace that it names. */
import assert from "node:assert/strict";
import { PROJECT } from "../../bootstrap/docker/machine.ts";
import { waitUntil } from "../../src/io/wait.ts";
import { Kubectl } from "../../src/stack/kubectl.ts";
import { reachCluster, testOnCluster } from "../cluster.ts";

const FOLDER = `${PROJECT}deploy/kubernetes`;
const STRANGERS = "grpc-demo-strangers";

/** Longer than a Job of k6 with its retries. */
const JOB_LIMIT_MS = 240_000;

/** Runs `work` on the demo, which is applied before and deleted after it. */
async function withDemo(
  work: (kubectl: Kubectl) => Promise<void>,
): Promise<void> {
  const { kubectlPath, context } = await reachCluster();
  const kubectl = new Kubectl(kubectlPath, context, "grpc-demo");
  const { code } = await kubectl.tryTo(["get", "namespace", "grpc-demo"]);
  assert.notEqual(code, 0, "the namespace grpc-demo is in use");
  try {
    await kubectl.run(["apply", "-k", FOLDER]);
    await awaitRollout(kubectl);
    await work(kubectl);
  } finally {
    await kubectl.run(
      ["delete", "namespace", "grpc-demo", STRANGERS, "--ignore-not-found"],
      { limitMs: JOB_LIMIT_MS },
    );
  }
}

async function awaitRollout(kubectl: Kubectl): Promise<void> {
  for (const name of ["grpc-server", "envoy"]) {
    await kubectl.run(
      ["rollout", "status", `deployment/${name}`, "--timeout=90s"],
      { limitMs: 100_000 },
    );
  }
}

/** A field of objects, as a JSONPath says it. */
function read(kubectl: Kubectl, what: string, path: string): Promise<string> {
  return kubectl.run(["get", ...what.split(" "), `--output=jsonpath=${path}`]);
}

/** Waits for the Job "load". @returns Its condition and k6's exit code. */
async function loadEnds(kubectl: Kubectl): Promise<readonly string[]> {
  let condition = "";
  const isOver = async () => {
    const path = '{.status.conditions[?(@.status=="True")].type}';
    condition = await read(kubectl, "job load", path);
    return /Complete|Failed/.test(condition);
  };
  assert.ok(await waitUntil(isOver, JOB_LIMIT_MS), `it is "${condition}"`);
  const codes = await read(
    kubectl,
    "pods --selector=app.kubernetes.io/name=load",
    "{.items[*].status.containerStatuses[0].state.terminated.exitCode}",
  );
  return [/Complete|Failed/.exec(condition)?.[0] ?? "", codes];
}

testOnCluster("k6 as a Job passes, and fails without one server", async () => {
  await withDemo(async (kubectl) => {
    await kubectl.run(["apply", "-k", `${FOLDER}/load`]);
    assert.deepEqual(await loadEnds(kubectl), ["Complete", "0"]);
    await kubectl.run(["delete", "job/load"]);
    await kubectl.run(["scale", "deployment/grpc-server", "--replicas=2"]);
    const servers = "pods --selector=app.kubernetes.io/name=grpc-server";
    const isScaled = async () =>
      (await read(kubectl, servers, "{.items[*].metadata.name}"))
        .split(" ").length === 2;
    assert.ok(await waitUntil(isScaled, JOB_LIMIT_MS));
    await kubectl.run(["apply", "-f", `${FOLDER}/load/load.yaml`]);
    assert.deepEqual(await loadEnds(kubectl), ["Failed", "99"]);
  });
});

/** The exit codes of clients in another namespace, by their target. */
async function strangers(
  kubectl: Kubectl,
  targets: readonly string[],
): Promise<readonly string[]> {
  const path = "{.status.containerStatuses[0].state.terminated.exitCode}";
  return await Promise.all(targets.map(async (target, at) => {
    const pod = `stranger-${at}`;
    await kubectl.run([
      ...["run", pod, "--image=grpc-demo-client", "--restart=Never"],
      ...["--image-pull-policy=IfNotPresent", "--"],
      ...["--target", target, "--count", "3", "--rate", "5"],
    ]);
    let code = "";
    const hasEnded = async () => {
      code = await read(kubectl, `pod ${pod}`, path);
      return code !== "";
    };
    assert.ok(await waitUntil(hasEnded, JOB_LIMIT_MS), `${pod} goes on`);
    await kubectl.run(["delete", "pod", pod]);
    return code;
  }));
}

testOnCluster("what the manifests forbid is refused", async () => {
  await withDemo(async (kubectl) => {
    for (const folder of ["", "/client", "/load", "/autoscale"]) {
      const words = ["apply", "-k", `${FOLDER}${folder}`, "--dry-run=server"];
      await kubectl.run(words);
    }
    const lax = await kubectl.tryTo(["run", "lax", "--image=grpc-demo-server"]);
    assert.notEqual(lax.code, 0);
    assert.match(lax.stderr, /violates PodSecurity "restricted/);

    const addressOf = (name: string) =>
      read(
        kubectl,
        `pods --selector=app.kubernetes.io/name=${name}`,
        "{.items[0].status.podIP}",
      );
    const envoy = await addressOf("envoy");
    const targets = [`${await addressOf("grpc-server")}:8080`, `${envoy}:5000`];
    const { kubectlPath, context } = await reachCluster();
    const others = new Kubectl(kubectlPath, context, STRANGERS);
    await others.run(["create", "namespace", STRANGERS]);
    assert.deepEqual(await strangers(others, targets), ["1", "1"]);
    // The control: with no policies both would have been reached.
    await kubectl.run(["delete", "networkpolicies", "--all"]);
    assert.deepEqual(await strangers(others, targets), ["0", "0"]);
    // Nobody outside the pod reaches the admin page, not even its node.
    await assert.rejects(Deno.connect({ hostname: envoy, port: 9901 }));
    (await Deno.connect({ hostname: envoy, port: 5000 })).close();
  });
});
