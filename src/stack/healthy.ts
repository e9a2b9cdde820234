/** Waiting until Envoy finds a stack's servers healthy. */
import { Failure } from "../core/errors.ts";
import type { EnvoyAdmin, UpstreamHost } from "./envoy_admin.ts";
import { GRPC_CLUSTER } from "./envoy_config.ts";
import { waitUntil } from "../io/wait.ts";

/**
 * Waits until Envoy finds exactly `count` servers, all of them healthy.
 *
 * @param options `healthy` is how many must be, if not all: at least.
 * @throws {Failure} `environment`, naming each server's complaints.
 */
export async function awaitServersHealthy(
  admin: EnvoyAdmin,
  count: number,
  options: {
    readonly limitMs: number;
    readonly healthy?: number;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  let hosts: readonly UpstreamHost[] = [];
  const isHealthy = await waitUntil(
    async () => {
      hosts = await admin.isReady() ? await admin.hosts(GRPC_CLUSTER) : [];
      const healthy = hosts.filter((host) => host.isHealthy).length;
      return hosts.length === count && healthy >= (options.healthy ?? count);
    },
    options.limitMs,
    options.signal,
  );
  if (isHealthy) return;
  options.signal?.throwIfAborted();
  const states = hosts.map((host) =>
    `${host.address} ${host.flags.join(" ") || "healthy"}`
  );
  throw new Failure(
    "environment",
    `Envoy does not find ${options.healthy ?? count} healthy servers: ${
      states.join(", ") || "discovery names none"
    }; check service_name in the health checks of cluster "${GRPC_CLUSTER}"`,
  );
}
