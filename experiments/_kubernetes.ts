/** What experiments on Kubernetes share. */
import type {
  NamedManifestChange,
  RunContext,
  Setup,
} from "../src/experiment/authors.ts";
import { KubernetesStack } from "../src/stack/kubernetes.ts";
import {
  containerOf,
  type Deployment,
  deploymentOf,
  specOf,
} from "../src/stack/manifests.ts";

/**
 * The stack of a run on Kubernetes.
 *
 * @throws {RangeError} When it is another one.
 */
export function kubernetesOf({ stack }: RunContext): KubernetesStack {
  if (stack instanceof KubernetesStack) return stack;
  throw new RangeError("This experiment is for Kubernetes only");
}

const EVICT_AGAIN_MS = 500;

/**
 * Evicts a server, again and again until the disruption budget allows it.
 *
 * @returns How often that was refused.
 */
export async function evictOnceAllowed(
  run: RunContext,
  server: string,
): Promise<number> {
  const stack = kubernetesOf(run);
  let refused = 0;
  while (!run.signal.aborted && !await stack.evict(server)) {
    refused += 1;
    await run.wait(EVICT_AGAIN_MS);
  }
  return refused;
}

/** Pods get SIGTERM as soon as they are deleted. */
export function noPreStop(deployment: Deployment): NamedManifestChange {
  return {
    name: `no preStop of ${deployment}`,
    apply: (objects) => {
      delete containerOf(deploymentOf(objects, deployment))["lifecycle"];
    },
  };
}

/** Servers end as soon as their pods are deleted, with the calls on them. */
export const endAtOnce: Partial<Setup> = {
  serverFlags: ["--drain-wait", "0", "--close-deadline", "0"],
  kubernetes: { changes: [noPreStop("grpc-server")] },
};

/** A rollout ends all pods before their successors are Ready. */
export function allUnavailable(deployment: Deployment): NamedManifestChange {
  return {
    name: `maxUnavailable of ${deployment}: 100%`,
    apply: (objects) => {
      const spec = specOf(deploymentOf(objects, deployment));
      spec["strategy"] = {
        rollingUpdate: { maxUnavailable: "100%", maxSurge: 0 },
      };
    },
  };
}
