/** Waiting until Envoy finds a stack's servers healthy. */
import { Failure } from "../core/errors.ts";
import type { EnvoyAdmin, UpstreamHost } from "./envoy_admin.ts";
import { GRPC_CLUSTER } from "./envoy_config.ts";
import { waitUntil } from "./wait.ts";

/**
 * Waits until Envoy finds exactly `count` servers, all of them healthy.
 *
 * @throws {Failure} `environment`, naming each server's complaints.
 */
export async function awaitServersHealthy(
  admin: EnvoyAdmin,
  count: number,
  options: { readonly limitMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  let hosts: readonly UpstreamHost[] = [];
  const isHealthy = await waitUntil(
    async () => {
      hosts = await admin.isReady() ? await admin.hosts(GRPC_CLUSTER) : [];
      return hosts.length === count && hosts.every((host) => host.isHealthy);
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
    `Envoy does not find ${count} healthy servers: ${
      states.join(", ") || "discovery names none"
    }; check service_name in the health checks of envoy.yaml`,
  );
}
