/** The namespace of a stack on Kubernetes, and what is needed to have one. */
import { Failure } from "../core/errors.ts";
import { commandWords } from "../io/build.ts";
import { waitUntil } from "../io/wait.ts";
import { type Kubectl, reasonOf } from "./kubectl.ts";
import { PART, PART_LABEL } from "./manifests.ts";

/** The namespaces of `up`, which is that of deploy/kubernetes, and of runs. */
export const UP_NAMESPACE = "grpc-demo";
export const EXPERIMENT_NAMESPACE = "grpc-demo-experiment";

/** Nobody calls any longer, so nothing needs to be drained. */
const LAST_GRACE_S = 1;

/** The cluster removes what is in a namespace in some seconds, or half a minute. */
const REMOVAL_LIMIT_MS = 120_000;

const CONNECT_LIMIT_MS = 3000;

/** A node's rules for a Service follow its first endpoints by some seconds. */
const REACHED_LIMIT_MS = 10_000;

/**
 * Creates the namespace. That fails if there is one, so that nothing of others
 * is touched.
 *
 * @param namespace What it is to be.
 * @throws {Failure} `environment` when there is one, the demo's or another, or
 * it is refused.
 */
export async function createNamespace(
  kubectl: Kubectl,
  namespace: object,
): Promise<void> {
  const words = ["create"];
  const result = await kubectl.tryWith([namespace], words);
  if (result.code === 0) return;
  if (!/already exists/.test(reasonOf(result))) {
    throw kubectl.failure(words, result);
  }
  const context = JSON.stringify(kubectl.context);
  throw new Failure(
    "environment",
    await isOurs(kubectl)
      ? `The demo is already in namespace "${kubectl.namespace}" of context ` +
        `${context}; \`${commandWords()} down --kubernetes\` removes it`
      : `There is a namespace "${kubectl.namespace}" in context ${context} ` +
        `that is not the demo's, as it lacks the label ${PART_LABEL}=${PART}; ` +
        "remove it, or use another cluster",
  );
}

/** Whether the namespace is the demo's, by its label. */
async function isOurs(kubectl: Kubectl): Promise<boolean> {
  const { stdout } = await kubectl.tryTo([
    ...["get", "namespace", kubectl.namespace],
    "--output=jsonpath={.metadata.labels}",
  ]);
  return stdout !== "" && JSON.parse(stdout)[PART_LABEL] === PART;
}

/**
 * Removes the demo's namespace, and all that is in it.
 *
 * @returns Whether there was one.
 * @throws {Failure} `environment` when it is not the demo's.
 */
export async function removeNamespace(kubectl: Kubectl): Promise<boolean> {
  const name = ["namespace", kubectl.namespace];
  const found = await kubectl.tryTo(["get", ...name]);
  if (found.code !== 0) {
    if (/not found/.test(reasonOf(found))) return false;
    throw kubectl.failure(["get", ...name], found);
  }
  if (!await isOurs(kubectl)) {
    throw new Failure(
      "environment",
      `The namespace "${kubectl.namespace}" in context ${
        JSON.stringify(kubectl.context)
      } is not the demo's, as it lacks the label ${PART_LABEL}=${PART}; it was left as it is`,
    );
  }
  // They would drain, and start pods again for those that were deleted. This
  // only saves time, so a user who may not do it waits longer.
  await kubectl.tryTo(["delete", "deployments,jobs", "--all", "--wait=false"]);
  await kubectl.tryTo([
    ...["delete", "pods", "--all", "--wait=false"],
    `--grace-period=${LAST_GRACE_S}`,
  ]);
  await kubectl.run(["delete", ...name], { limitMs: REMOVAL_LIMIT_MS });
  return true;
}

/**
 * Waits until callers on this machine reach the Service, for at most 10 s.
 *
 * @throws {Failure} `environment` when they do not.
 */
export async function requireReachable(
  address: string,
  port: number,
  signal?: AbortSignal,
): Promise<void> {
  const isReached = async () => {
    try {
      const connection = await Deno.connect({
        hostname: address,
        port,
        signal: AbortSignal.timeout(CONNECT_LIMIT_MS),
      });
      connection.close();
      return true;
    } catch {
      return false;
    }
  };
  if (await waitUntil(isReached, REACHED_LIMIT_MS, signal)) return;
  signal?.throwIfAborted();
  throw new Failure(
    "environment",
    `The Service's address, ${address}:${port}, is not reached from ` +
      "here; run this on a node of the cluster, or make the load inside: " +
      "kubectl apply -k deploy/kubernetes/load",
  );
}
