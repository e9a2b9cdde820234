/** Stacks on Kubernetes for experiments. */
import { findTool } from "../io/tools.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import { envoyYamlForKubernetes } from "../stack/envoy_kubernetes.ts";
import { freePorts } from "../stack/free_port.ts";
import { chooseContext } from "../stack/kubectl.ts";
import { KubernetesStack } from "../stack/kubernetes.ts";
import { EXPERIMENT_NAMESPACE } from "../stack/namespace.ts";
import type { StackFactory } from "./stacks.ts";

/**
 * A pod that starts takes both cores of a small node for up to half a second,
 * and every run here starts some: 60 to 90 ms on a quiet machine, 220 where all
 * servers start. It delays calls, which may take seconds, and claims here are
 * about lost ones.
 */
const TIMERS_LATE_MS_MAX = 250;

/**
 * Stacks on Kubernetes, one at a time.
 *
 * @param context The context that was asked for; "" if none was.
 * @throws {Failure} When there is no kubectl, or not one cluster to use.
 */
export async function kubernetesStacks(
  context: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<StackFactory> {
  const kubectl = await findTool("kubectl", { onProgress, signal });
  const chosen = await chooseContext(kubectl.path, context, signal);
  return {
    name: "Kubernetes",
    base: {
      config: parseEnvoyConfig(envoyYamlForKubernetes()),
      name: "envoy.yaml for Kubernetes",
    },
    timersLateMsMax: TIMERS_LATE_MS_MAX,
    start: (options) =>
      KubernetesStack.start({
        ...options,
        ...(options.kubernetes.envoys === undefined
          ? {}
          : { envoys: options.kubernetes.envoys }),
        changes: (options.kubernetes.changes ?? []).map(({ apply }) => apply),
        ...freePorts(),
        kubectlPath: kubectl.path,
        context: chosen,
        namespace: EXPERIMENT_NAMESPACE,
        allowFaults: true,
      }),
  };
}
