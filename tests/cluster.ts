/**
 * Tests on the cluster of bootstrap/kubernetes.ts, or else the one that kubectl
 * reaches, with the images loaded.
 */
import { KUBECONFIG, reachesCluster } from "../bootstrap/kubernetes/node.ts";
import { readStarted } from "../bootstrap/kubernetes/state.ts";
import { messageOf } from "../src/core/errors.ts";
import { findTool } from "../src/io/tools.ts";
import { chooseContext } from "../src/stack/kubectl.ts";
import { testWhere, type TestWithNeeds } from "./needs.ts";

/** Whether it is the cluster of bootstrap/kubernetes.ts. */
export const isStartedHere: boolean = await readStarted() !== undefined;

/** For programs that reach it. */
export const CLUSTER_ENV: Readonly<Record<string, string>> = isStartedHere
  ? { KUBECONFIG }
  : {};

/** Why no test can run on a cluster, or undefined. */
async function whyNoCluster(): Promise<string | undefined> {
  if (isStartedHere) return undefined;
  try {
    if (!await reachesCluster()) return "kubectl reaches no cluster";
    // Of several contexts the wrong one may be somebody's production.
    await chooseContext((await findTool("kubectl")).path, "");
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** A test that is skipped where there is no cluster. */
export const testOnCluster: TestWithNeeds = testWhere(
  "the tests on Kubernetes",
  await whyNoCluster(),
);

/** The path of kubectl, and the cluster's context. */
export async function reachCluster(): Promise<
  { readonly kubectlPath: string; readonly context: string }
> {
  for (const [name, value] of Object.entries(CLUSTER_ENV)) {
    Deno.env.set(name, value);
  }
  const kubectlPath = (await findTool("kubectl")).path;
  return { kubectlPath, context: await chooseContext(kubectlPath, "") };
}
