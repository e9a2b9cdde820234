/** Waiting in a run. */
import { Failure } from "../core/errors.ts";
import { GRPC_CLUSTER } from "../stack/envoy_config.ts";
import type { Stack } from "../stack/stack.ts";
import { waitUntil } from "../io/wait.ts";

/** Envoy looks every second; a busy machine needs longer to start a server. */
export const HEALTHY_LIMIT_MS_DEFAULT = 20_000;

/**
 * Waits until Envoy finds exactly `count` servers, all of them healthy.
 *
 * @returns The milliseconds that it took.
 * @throws {Failure} `failed` after `limitMs`.
 */
export async function awaitHealthy(
  stack: Stack,
  count: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<number> {
  const startedAtMs = performance.now();
  let state = "";
  const isReached = await waitUntil(
    async () => {
      const hosts = await stack.admin.hosts(GRPC_CLUSTER);
      const healthy = hosts.filter(({ isHealthy }) => isHealthy).length;
      state = `${healthy} of ${hosts.length} servers healthy`;
      return healthy === count && hosts.length === count;
    },
    limitMs,
    signal,
  );
  if (!isReached) {
    throw new Failure(
      "failed",
      `Envoy finds ${state}, not ${count} of ${count}, after ${limitMs} ms`,
    );
  }
  return performance.now() - startedAtMs;
}
