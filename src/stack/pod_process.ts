/** The processes of pods that run on this machine, and signals to them. */
import { Failure } from "../core/errors.ts";
import { runToEnd } from "../io/processes.ts";
import type { Pod } from "./pods.ts";

const GREP_LIMIT_MS = 5000;

/**
 * The process of a pod's container on this machine; undefined if it runs
 * elsewhere. A program does it because Deno lets only one with all permissions
 * read /proc.
 */
export async function processOf(
  { containerId }: Pick<Pod, "containerId">,
): Promise<number | undefined> {
  if (containerId === "") return undefined;
  const { stdout } = await runToEnd("sh", [
    ...["-c", 'grep --files-with-matches -e "$0" /proc/[0-9]*/cgroup'],
    containerId,
  ], { timeoutMs: GREP_LIMIT_MS });
  const [, pid] = /^\/proc\/(\d+)\//.exec(stdout) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/**
 * Sends a signal to the process of a pod's container.
 *
 * @throws {Failure} `environment` when it is not on this machine, or belongs to
 * another user.
 */
export async function signalPod(
  pod: Pick<Pod, "name" | "containerId">,
  signal: Deno.Signal,
): Promise<void> {
  const pid = await processOf(pod);
  const cannot = `Cannot send ${signal} to ${pod.name}`;
  if (pid === undefined) {
    throw new Failure(
      "environment",
      `${cannot}: its process is not on this machine, and nothing in its ` +
        "container could do it; run this on the pod's node, or terminate the " +
        "server, which deletes its pod",
    );
  }
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    throw new Failure(
      "environment",
      `${cannot}: process ${pid} belongs to another user; run this as root, ` +
        "or terminate the server, which deletes its pod",
      { cause: error },
    );
  }
}
