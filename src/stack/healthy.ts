/** Waiting until Envoy finds a stack's servers healthy. */
import { Failure } from "../core/errors.ts";
import type { EnvoyAdmin, UpstreamHost } from "./envoy_admin.ts";
import { GRPC_CLUSTER } from "./envoy_config.ts";
import { waitUntil } from "../io/wait.ts";

/** Envoy looks every second; a busy machine needs longer to start a server. */
const LIMIT_MS_DEFAULT = 20_000;

/**
 * Waits until Envoy finds exactly `count` servers, all of them healthy.
 *
 * @param options `isReached` is the condition, if it is another one;
 * `limitMs` is how long it may take (default 20 s).
 * @returns The milliseconds that it took.
 * @throws {Failure} `environment`, naming each server's complaints.
 */
export async function awaitHealthy(
  admin: Pick<EnvoyAdmin, "isReady" | "hosts">,
  count: number,
  { isReached, limitMs = LIMIT_MS_DEFAULT, signal }: {
    readonly isReached?: (healthy: number, servers: number) => boolean;
    readonly limitMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<number> {
  const startedAtMs = performance.now();
  let hosts: readonly UpstreamHost[] = [];
  const isHealthy = await waitUntil(
    async () => {
      hosts = await admin.isReady() ? await admin.hosts(GRPC_CLUSTER) : [];
      const healthy = hosts.filter((host) => host.isHealthy).length;
      return isReached?.(healthy, hosts.length) ??
        (healthy === count && hosts.length === count);
    },
    limitMs,
    signal,
  );
  if (isHealthy) return performance.now() - startedAtMs;
  signal?.throwIfAborted();
  const states = hosts.map((host) =>
    `${host.address} ${host.flags.join(" ") || "healthy"}`
  );
  throw new Failure(
    "environment",
    `Envoy does not find ${count} healthy servers within ${limitMs} ms: ${
      states.join(", ") || "discovery names none"
    }; check service_name in the health checks of cluster "${GRPC_CLUSTER}"`,
  );
}
