/** Waits until a stack's servers are healthy. */
import { Failure } from "../core/errors.ts";
import type { EnvoyAdmin, UpstreamHost } from "./envoy_admin.ts";
import { GRPC_CLUSTER } from "./envoy_config.ts";
import { waitUntil } from "../io/wait.ts";

/** Envoy checks every second; a busy machine needs longer to start a server. */
const LIMIT_MS_DEFAULT = 20_000;

/** Envoy did not find the servers healthy in time. */
export class NotHealthy extends Failure {}

/**
 * Waits until Envoy knows exactly `count` servers, all of them healthy.
 *
 * @param options `isReached` is another condition; `limitMs` is how long it may
 * take (default 20 s).
 * @returns How long it took, in milliseconds.
 * @throws {NotHealthy} `environment`, naming what is wrong with each server.
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
  throw new NotHealthy(
    "environment",
    `Envoy has not found ${count} healthy servers within ${limitMs} ms: ${
      states.join(", ") || "discovery returned none"
    }; check service_name in the health checks of cluster "${GRPC_CLUSTER}"`,
  );
}
