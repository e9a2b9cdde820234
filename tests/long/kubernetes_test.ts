/**
 * The stack on a cluster, with the images loaded that docs/kubernetes.md names. Rollouts under load are experiments.
 */
import assert from "node:assert/strict";
import { partAt } from "../../src/core/yaml.ts";
import { grpcCluster } from "../../src/experiment/changes.ts";
import { Greeter } from "../../src/io/proto.ts";
import { callToEnd, connect } from "../../src/io/rpc.ts";
import { waitUntil } from "../../src/io/wait.ts";
import {
  GRPC_CLUSTER,
  parseEnvoyConfig,
} from "../../src/stack/envoy_config.ts";
import { envoyYamlForKubernetes } from "../../src/stack/envoy_kubernetes.ts";
import { Kubectl } from "../../src/stack/kubectl.ts";
import {
  type KubernetesOptions,
  KubernetesStack,
} from "../../src/stack/kubernetes.ts";
import { containerOf, deploymentOf } from "../../src/stack/manifests.ts";
import { type Right, RIGHTS } from "../../src/stack/rights.ts";
import type { StackAction, StackServer } from "../../src/stack/stack.ts";
import { reachCluster, testOnCluster } from "../cluster.ts";
import { callMany, freePort } from "../stacks.ts";

let stacks = 0;

/** Options of a stack of this test's own. */
async function newOptions(
  more: Partial<KubernetesOptions> = {},
): Promise<KubernetesOptions> {
  stacks += 1;
  return {
    ...await reachCluster(),
    namespace: `grpc-demo-test-${Deno.pid}-${stacks}`,
    servers: 2,
    l4Port: freePort(),
    adminPort: freePort(),
    allowFaults: true,
    ...more,
  };
}

async function isThere(options: KubernetesOptions): Promise<boolean> {
  const { kubectlPath, context, namespace } = options;
  const kubectl = new Kubectl(kubectlPath, context, namespace);
  const { code } = await kubectl.tryTo(["get", "namespace", namespace]);
  return code === 0;
}

/** How the calls of one connection end, by server, as replies name them. */
async function callers(
  target: string,
  count: number,
): Promise<readonly string[]> {
  const client = connect(Greeter, target);
  try {
    const ends: string[] = [];
    for (let call = 0; call < count; call += 1) {
      const { status, reply } = await callToEnd(client, "SayHello", {}, {
        deadlineMs: 5000,
      });
      ends.push(reply?.server ?? status);
    }
    return ends;
  } finally {
    client.close();
  }
}

testOnCluster(
  "the stack on Kubernetes scales, kills, replaces and leaves nothing",
  async () => {
    const actions: StackAction[] = [];
    const crashes: string[] = [];
    const options = await newOptions({
      onAction: (action) => actions.push(action),
      onCrash: (program) => crashes.push(program),
    });
    const stack = await KubernetesStack.start(options);
    const names = () => stack.servers().map(({ name }) => name);
    const addressOf = (name: string) =>
      stack.servers().find((one) => one.name === name)?.address;
    try {
      assert.deepEqual(names(), ["server-1", "server-2"]);
      // A round robin over both, whose replies have the pods' names.
      const replies = await callers(stack.endpoint, 4);
      assert.deepEqual(
        replies.map((reply) => stack.nameOf(reply)).sort(),
        ["server-1", "server-1", "server-2", "server-2"],
      );
      assert.equal(replies[0], stack.podName(stack.nameOf(replies[0] ?? "")));
      assert.equal((await callers(stack.l4Endpoint, 1)).length, 1);

      const counted = await stack.counters("server-1");
      assert.equal(counted.server, stack.podName("server-1"));
      // Both Envoys' figures: one got the calls.
      const key = "http.grpc.downstream_rq_total";
      const total = (await stack.admin.stats(`^${key}$`)).get(key) ?? 0;
      assert.ok(total >= 4, String(total));

      await stack.scale(3);
      assert.deepEqual(names(), ["server-1", "server-2", "server-3"]);
      const gone = stack.podName("server-3");
      await stack.scale(2);
      assert.deepEqual(names(), ["server-1", "server-2"]);
      assert.notEqual(stack.podName("server-2"), gone);

      // The container is started again in its pod, at its address.
      const before = addressOf("server-2");
      const killed = await stack.stop("server-2", "SIGKILL");
      assert.deepEqual(killed, { code: 137, signal: "SIGKILL" });
      await stack.start("server-2");
      assert.equal(addressOf("server-2"), before);

      // Another pod takes over the name of one that is deleted.
      const pod = stack.podName("server-1");
      const ended = await stack.stop("server-1", "SIGTERM");
      assert.deepEqual(ended, { code: 0, signal: null });
      await stack.start("server-1");
      assert.notEqual(stack.podName("server-1"), pod);
      assert.equal(stack.nameOf(pod), "server-1");

      await stack.fault("server-1", {
        kind: "status",
        durationMs: 60_000,
        code: 5,
      });
      const withFault = await callers(addressOf("server-1") ?? "", 1);
      assert.deepEqual(withFault, ["NOT_FOUND"]);
      await stack.clearFaults("server-1");
      const cleared = await callers(addressOf("server-1") ?? "", 1);
      assert.deepEqual(cleared, [stack.podName("server-1")]);

      assert.deepEqual(crashes, []);
      assert.deepEqual(
        actions.map(({ server, kind }) => `${server} ${kind}`),
        [
          "server-3 start",
          "server-3 scale",
          "server-2 SIGKILL",
          "server-2 start",
          "server-1 SIGTERM",
          "server-1 start",
          "server-1 fault",
          "server-1 clear",
        ],
      );
      // What others do to a pod is reported.
      await stack.kubectl.run(["delete", "pod", stack.podName("server-2")]);
      assert.deepEqual(crashes, ["server-2"]);
    } finally {
      await stack.close();
    }
    assert.equal(await isThere(options), false);
  },
);

/** How one call of a connection of its own ends: the reply's name, or a status. */
async function oneCall(target: string): Promise<string> {
  const [end = ""] = await callers(target, 1);
  return end;
}

testOnCluster(
  "the stack on Kubernetes pauses servers, and ends and replaces its Envoys",
  async () => {
    const crashes: string[] = [];
    const stack = await KubernetesStack.start(
      await newOptions({ onCrash: (program) => crashes.push(program) }),
    );
    const isHealthy = async (count: number) => {
      const hosts = await stack.admin.hosts(GRPC_CLUSTER);
      return hosts.filter(({ isHealthy }) => isHealthy).length === count;
    };
    try {
      const [{ name, address }] = stack.servers() as [StackServer];
      await stack.pause(name);
      assert.equal(await oneCall(address), "DEADLINE_EXCEEDED");
      assert.ok(await waitUntil(() => isHealthy(1), 10_000));
      await stack.resume(name);
      assert.equal(await oneCall(address), stack.podName(name));
      assert.ok(await waitUntil(() => isHealthy(2), 10_000));

      const ids = () => stack.envoys.pods.map(({ containerId }) => containerId);
      const before = ids();
      await stack.stopEnvoy("SIGKILL");
      await stack.startEnvoy();
      assert.equal(ids().length, 2);
      assert.ok(ids().every((id) => !before.includes(id)));
      assert.match(await oneCall(stack.endpoint), /^grpc-server-/);

      // The new configuration is that of both Envoys, which are other pods.
      const config = parseEnvoyConfig(envoyYamlForKubernetes());
      partAt(grpcCluster(config), "circuit_breakers", "thresholds", 0)[
        "max_requests"
      ] = 100;
      const left = "cluster.grpc-server.circuit_breakers.default.remaining_rq";
      const remaining = async () => (await stack.admin.stats(left)).get(left);
      assert.equal(await remaining(), 2 * 512);
      const pods = stack.envoys.pods.map(({ name }) => name);
      await stack.replaceEnvoy(config);
      assert.equal(await remaining(), 2 * 100);
      assert.ok(stack.envoys.pods.every(({ name }) => !pods.includes(name)));
      assert.match(await oneCall(stack.endpoint), /^grpc-server-/);
      assert.deepEqual(crashes, []);
    } finally {
      await stack.close();
    }
  },
);

/** A kubeconfig of a user who has nothing but the rights of a stack. */
async function restrictedConfig(
  kubectl: Kubectl,
  user: string,
  rights: readonly Right[],
): Promise<string> {
  const rules = rights.map(({ group, resource, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
  }));
  const api = "rbac.authorization.k8s.io";
  const metadata = { name: user };
  const words = ["apply"];
  const result = await kubectl.tryWith([
    { apiVersion: `${api}/v1`, kind: "ClusterRole", metadata, rules },
    {
      apiVersion: `${api}/v1`,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: api, kind: "ClusterRole", name: user },
      subjects: [{ apiGroup: api, kind: "User", name: user }],
    },
  ], words);
  assert.equal(result.code, 0, result.stderr);
  const text = await kubectl.run([
    ...["config", "view", "--raw", "--minify", "--output=json"],
  ]);
  const config = JSON.parse(text);
  for (const one of config.users) one.user.as = user;
  return JSON.stringify(config);
}

testOnCluster("a stack needs no more rights than it asks for", async () => {
  const options = await newOptions();
  const { kubectlPath, context, namespace } = options;
  const kubectl = new Kubectl(kubectlPath, context, namespace);
  const known = Deno.env.get("KUBECONFIG");
  const file = await Deno.makeTempFile({ prefix: "kubeconfig-" });
  try {
    const text = await restrictedConfig(kubectl, namespace, RIGHTS);
    await Deno.writeTextFile(file, text);
    Deno.env.set("KUBECONFIG", file);
    // The control: the user has no other right.
    const nodes = await kubectl.tryTo(["get", "nodes"]);
    assert.match(nodes.stderr, new RegExp(`"${namespace}" cannot list`));
    const stack = await KubernetesStack.start(options);
    try {
      await stack.scale(3);
      await stack.scale(2);
      await stack.stop("server-1", "SIGTERM");
      await stack.start("server-1");
      assert.ok(await stack.evict("server-2"));
      await stack.start("server-2");
      await stack.restart("envoy");
      assert.equal((await callers(stack.l4Endpoint, 1)).length, 1);
    } finally {
      await stack.close();
    }
    assert.equal(await isThere(options), false);
  } finally {
    if (known === undefined) Deno.env.delete("KUBECONFIG");
    else Deno.env.set("KUBECONFIG", known);
    await Deno.remove(file);
    for (const kind of ["clusterrole", "clusterrolebinding"]) {
      await kubectl.run(["delete", kind, namespace, "--ignore-not-found"]);
    }
  }
});

testOnCluster(
  "3,000 calls are shared equally, but for one call of each Envoy",
  async () => {
    const stack = await KubernetesStack.start(await newOptions({ servers: 3 }));
    try {
      const tallies = await Promise.all(
        Array.from({ length: 6 }, () => callMany(stack.endpoint, 500)),
      );
      const shares = stack.servers().map(({ name }) =>
        tallies.reduce(
          (sum, { servers }) => sum + (servers.get(stack.podName(name)) ?? 0),
          0,
        )
      );
      for (const { errors } of tallies) assert.deepEqual([...errors], []);
      assert.equal(shares.reduce((sum, share) => sum + share), 3000);
      const difference = Math.max(...shares) - Math.min(...shares);
      assert.ok(difference <= stack.envoys.pods.length, shares.join(", "));
    } finally {
      await stack.close();
    }
  },
);

testOnCluster(
  "an image that cannot be pulled ends the start of a stack, in a sentence",
  async () => {
    const options = await newOptions({
      changes: [(objects) => {
        const server = containerOf(deploymentOf(objects, "grpc-server"));
        server["image"] = "registry.invalid/grpc-demo-server:none";
      }],
    });
    await assert.rejects(KubernetesStack.start(options), {
      message:
        /^The cluster cannot pull the image of grpc-server \(.*registry\.invalid.*\); load it into its nodes, or push it to a registry, as docs\/kubernetes\.md says$/,
    });
    assert.equal(await isThere(options), false);
  },
);
