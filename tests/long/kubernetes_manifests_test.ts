/** deploy/kubernetes as a reader applies it, in the namespace that it names. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { PROJECT } from "../../bootstrap/docker/machine.ts";
import { gatewayDefinitions } from "../../bootstrap/kubernetes/gateway.ts";
import { type RunResult, runToEnd } from "../../src/io/processes.ts";
import { print } from "../../src/io/terminal.ts";
import { waitUntil } from "../../src/io/wait.ts";
import { Kubectl } from "../../src/stack/kubectl.ts";
import type { KubernetesObject } from "../../src/stack/manifests.ts";
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

/** The commands in the head of autoscale/, as a reader types them. */
async function autoscaleCommands(): Promise<readonly string[]> {
  const path = `${FOLDER}/autoscale/kustomization.yaml`;
  const text = await Deno.readTextFile(path);
  return [...text.matchAll(/^# {3}((?:.*\|\n)?.*)$/gm)]
    .map(([, command = ""]) => command.replace(/\n#/, " "));
}

testOnCluster("autoscale/ ends no server that runs", async () => {
  await withDemo(async (kubectl) => {
    const count = () =>
      read(kubectl, "deployment grpc-server", "{.spec.replicas}");
    const { kubectlPath, context } = await reachCluster();
    const type = async (command: string) => {
      const kubectl =
        `kubectl() { "${kubectlPath}" --context=${context} "$@"; }`;
      const { code, stderr } = await runToEnd("bash", [
        ...["-c", `set -o pipefail; ${kubectl}; ${command}`],
      ], { cwd: PROJECT });
      assert.equal(code, 0, stderr);
    };
    const [forget = "", apply = "", ...others] = await autoscaleCommands();
    assert.deepEqual(others, []);
    await type(forget);
    await type(apply);
    assert.equal(await count(), "3");
    await kubectl.run(["delete", "hpa", "grpc-server"]);
    // The control: apply alone takes away what an earlier apply has set.
    await kubectl.run(["apply", "-k", FOLDER]);
    await type(apply);
    assert.equal(await count(), "1");
  });
});

/** Applies texts of gateway/ without storing anything but a namespace. */
async function withGatewaySchemas(
  work: (
    rendered: string,
    apply: (text: string) => Promise<RunResult>,
  ) => Promise<void>,
): Promise<void> {
  const definitions = await gatewayDefinitions(print);
  const all = ["--recursive", "--filename", definitions];
  const { kubectlPath, context } = await reachCluster();
  const namespace = `grpc-demo-gateway-${Deno.pid}`;
  const kubectl = new Kubectl(kubectlPath, context, namespace);
  const found = await kubectl.tryTo(["get", ...all]);
  assert.notEqual(found.code, 0, "the cluster has Envoy Gateway's schemas");
  const options = { limitMs: JOB_LIMIT_MS };
  const apply = async (text: string) => {
    const objects = parseAllDocuments(text)
      .map((document) => document.toJS() as KubernetesObject)
      .filter(({ kind }) => kind !== "Namespace");
    for (const { metadata } of objects) metadata.namespace = namespace;
    return await kubectl.tryWith(objects, ["apply", "--dry-run=server"]);
  };
  try {
    await kubectl.run(["create", ...all], options);
    const words = ["--for=condition=Established", "--timeout=60s"];
    await kubectl.run(["wait", ...words, ...all], options);
    await kubectl.run(["create", "namespace", namespace]);
    await work(await kubectl.run(["kustomize", `${FOLDER}/gateway`]), apply);
  } finally {
    const words = ["delete", "--ignore-not-found"];
    await kubectl.run([...words, "namespace", namespace], options);
    await kubectl.run([...words, ...all], options);
  }
}

testOnCluster("gateway/ fits the schemas of Envoy Gateway", async () => {
  await withGatewaySchemas(async (rendered, apply) => {
    const result = await apply(rendered);
    assert.equal(result.code, 0, result.stderr);
    // The controls: a field and a value that do not exist.
    for (
      const [right, wrong, message] of [
        [
          "numRetries:",
          "numRetrys:",
          /unknown field "(spec\.retry\.)?numRetrys"/,
        ],
        ["RejectRequest", "Reject", /Unsupported value: "Reject"/],
      ] as const
    ) {
      const text = rendered.replace(right, wrong);
      assert.notEqual(text, rendered);
      const { code, stderr } = await apply(text);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
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
