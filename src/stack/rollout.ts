/** Waits for what a cluster does to pods: their start, and a rollout. */
import { Failure } from "../core/errors.ts";
import { waitUntil } from "../io/wait.ts";
import type { Kubectl } from "./kubectl.ts";
import type { Deployment } from "./manifests.ts";
import type { StackPods } from "./stack_pods.ts";

/** A cluster pulls no image here; a busy node starts five pods in 10 s. */
export const START_LIMIT_MS = 90_000;

/** Longer than a server's grace period of 25 s. */
export const STOP_LIMIT_MS = 40_000;

/** Two Envoys, one after another: start, health checks, 10 s of drain. */
const ROLL_LIMIT_MS = 180_000;

/** Why a container cannot start, by Kubernetes' words for an image. */
const NO_IMAGE = /^(ErrImage|ImagePull|InvalidImage|ErrImageNeverPull)/;

/**
 * Waits until a stack's first pods are Ready.
 *
 * @throws {Failure} `environment` when they are not within 90 s, or cannot be.
 */
export async function awaitFirstPods(
  pods: StackPods,
  areReady: () => boolean,
  signal?: AbortSignal,
): Promise<void> {
  await waitUntil(
    () => areReady() || whyNoStart(pods) !== undefined,
    START_LIMIT_MS,
    signal,
  );
  signal?.throwIfAborted();
  if (areReady()) return;
  throw new Failure(
    "environment",
    whyNoStart(pods) ??
      `The pods are not Ready ${START_LIMIT_MS / 1000} s after their start: ` +
        await pods.trouble(),
  );
}

/** Why a pod will not start, however long one waits. */
function whyNoStart(pods: StackPods): string | undefined {
  const pod = pods.all.find(({ waiting }) => NO_IMAGE.test(waiting));
  if (pod === undefined) return undefined;
  return `The cluster cannot pull the image of ${pod.app} (${
    pod.waitingWords || pod.waiting
  }); load it into its nodes, or push it to a registry, as docs/kubernetes.md says`;
}

/** Asks for another number of pods. */
export async function setReplicas(
  kubectl: Kubectl,
  deployment: Deployment,
  count: number,
): Promise<void> {
  await kubectl.run(
    ["scale", `deployment/${deployment}`, `--replicas=${count}`],
  );
}

/** Waits until all pods of a Deployment are new and the old ones are gone. */
export async function awaitRollout(
  kubectl: Kubectl,
  pods: StackPods,
  deployment: Deployment,
): Promise<void> {
  await kubectl.run([
    ...["rollout", "status", `deployment/${deployment}`],
    `--timeout=${ROLL_LIMIT_MS / 1000}s`,
  ], { limitMs: ROLL_LIMIT_MS + STOP_LIMIT_MS });
  await pods.until(
    () =>
      pods.all.every(({ app, isLeaving }) => app !== deployment || !isLeaving),
    STOP_LIMIT_MS,
    `the end of the last pods of ${deployment}`,
  );
}
