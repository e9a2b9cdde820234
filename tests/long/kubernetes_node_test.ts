/** What the node of bootstrap/kubernetes.ts does on its machine. */
import assert from "node:assert/strict";
import { runWell } from "../../bootstrap/docker/machine.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { isStartedHere, reachCluster } from "../cluster.ts";

/** Another machine: a network of its own, with a route to this one. */
const OTHER = "grpc-demo-other";

/** Of the link between the two; nothing else here has it. */
const HERE = "198.18.255.1";
const THERE = "198.18.255.2";

async function ip(...words: readonly string[]): Promise<void> {
  await runWell("ip", words);
}

async function withOtherMachine(work: () => Promise<void>): Promise<void> {
  await ip("netns", "add", OTHER);
  try {
    const [here, there] = ["grpc-demo-here", "grpc-demo-there"];
    const peer = ["type", "veth", "peer", "name", there, "netns", OTHER];
    await ip("link", "add", here, ...peer);
    await ip("address", "add", `${HERE}/30`, "dev", here);
    await ip("link", "set", here, "up");
    await ip("-n", OTHER, "address", "add", `${THERE}/30`, "dev", there);
    await ip("-n", OTHER, "link", "set", there, "up");
    await ip("-n", OTHER, "route", "add", "default", "via", HERE);
    await work();
  } finally {
    // The link ends with one of its ends.
    await ip("netns", "delete", OTHER);
  }
}

/** Whether the other machine gets a connection. */
async function isReached(address: string, port: number): Promise<boolean> {
  const { code } = await runToEnd("ip", [
    ...["netns", "exec", OTHER, "timeout", "2", "bash", "-c"],
    `exec 3<>/dev/tcp/${address}/${port}`,
  ]);
  return code === 0;
}

Deno.test({
  name: "another machine reaches nothing of a cluster that was started here",
  ignore: !isStartedHere,
  fn: async () => {
    const { kubectlPath, context } = await reachCluster();
    const read = (...words: readonly string[]) =>
      runWell(kubectlPath, [`--context=${context}`, "get", ...words]);
    const system = "--namespace=kube-system";
    const node = "{.items[0].status.addresses[0].address}";
    const pod = "{.items[0].status.podIP}";
    const places: readonly (readonly [string, number])[] = [
      [await read("nodes", `--output=jsonpath=${node}`), 6443],
      [await read("nodes", `--output=jsonpath=${node}`), 10_250],
      [
        await read(
          ...["service", "kube-dns", system],
          "--output=jsonpath={.spec.clusterIP}",
        ),
        53,
      ],
      [await read("pods", system, `--output=jsonpath=${pod}`), 53],
    ];
    const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
    try {
      await withOtherMachine(async () => {
        // The control: it has a way to this machine.
        assert.ok(await isReached(HERE, listener.addr.port));
        for (const [address, port] of places) {
          (await Deno.connect({ hostname: address, port })).close();
          assert.ok(!await isReached(address, port), `${address}:${port}`);
        }
      });
    } finally {
      listener.close();
    }
  },
});
