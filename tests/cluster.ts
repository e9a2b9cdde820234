/** Tests on the cluster of bootstrap/kubernetes.ts, with the images loaded. */
import { KUBECONFIG } from "../bootstrap/kubernetes/node.ts";
import { readStarted } from "../bootstrap/kubernetes/state.ts";
import { findTool } from "../src/io/tools.ts";
import { chooseContext } from "../src/stack/kubectl.ts";
import { testWhere, type TestWithNeeds } from "./needs.ts";

/** For programs that reach it. */
export const CLUSTER_ENV: Readonly<Record<string, string>> = { KUBECONFIG };

/** A test that is skipped where no cluster was started. */
export const testOnCluster: TestWithNeeds = testWhere(
  "the tests on Kubernetes",
  await readStarted() === undefined
    ? "no cluster was started by bootstrap/kubernetes.ts"
    : undefined,
);

/** The path of kubectl, and the cluster's context. */
export async function reachCluster(): Promise<
  { readonly kubectlPath: string; readonly context: string }
> {
  Deno.env.set("KUBECONFIG", KUBECONFIG);
  const kubectlPath = (await findTool("kubectl")).path;
  return { kubectlPath, context: await chooseContext(kubectlPath, "") };
}
