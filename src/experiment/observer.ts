/** Reads the counters of Envoy and the servers. */
import type { ServerCounters } from "../io/proto.ts";
import { pause } from "../io/wait.ts";
import { GRPC_CLUSTER } from "../stack/envoy_config.ts";
import type { HostSample, Sample, Snapshot } from "./history.ts";
import type { Stack } from "../stack/stack.ts";

/** How often Envoy is sampled during a run. */
const SAMPLE_INTERVAL_MS = 250;

/** Counters about calls, without those of the admin page. */
const SNAPSHOT_FILTER =
  `^(cluster\\.${GRPC_CLUSTER}\\.|http\\.grpc\\.|listener\\.|server\\.|` +
  "listener_manager\\.|overload\\.|tcp\\.)";

/** The cluster's counters that are sampled during a run. */
const WATCHED = [
  "membership_healthy",
  "membership_total",
  "lb_healthy_panic",
  "outlier_detection\\.ejections_active",
  "outlier_detection\\.ejections_enforced_total",
  "upstream_rq_total",
  "upstream_rq_active",
  "upstream_rq_pending_active",
  "upstream_rq_retry",
  "upstream_rq_retry_overflow",
  "upstream_rq_pending_overflow",
  "upstream_rq_active_overflow",
  "upstream_cx_active",
  "upstream_cx_none_healthy",
] as const;

const SAMPLE_FILTER = `^cluster\\.${GRPC_CLUSTER}\\.(${WATCHED.join("|")})$`;

const PREFIX = `cluster.${GRPC_CLUSTER}.`;

/** The names of all servers that ever ran, by address. */
export type ServerNames = Map<string, string>;

async function hostSamples(
  stack: Stack,
  names: ServerNames,
): Promise<readonly HostSample[]> {
  const hosts = await stack.admin.hosts(GRPC_CLUSTER);
  for (const { address, name } of stack.servers()) names.set(address, name);
  return hosts.map(({ address, isHealthy, isEjected, stats }) => ({
    address,
    server: names.get(address) ?? address,
    isHealthy,
    isEjected,
    rqTotal: stats.get("rq_total") ?? 0,
    rqActive: stats.get("rq_active") ?? 0,
  }));
}

/** Reads everything that Envoy and the servers have counted so far. */
export async function takeSnapshot(
  stack: Stack,
  names: ServerNames,
): Promise<Snapshot> {
  const [stats, hosts, counters] = await Promise.all([
    stack.admin.stats(SNAPSHOT_FILTER),
    hostSamples(stack, names),
    Promise.all(
      stack.servers()
        .filter(({ isRunning }) => isRunning)
        .map(({ name }) => countersOf(stack, name)),
    ),
  ]);
  return {
    stats: Object.fromEntries(stats),
    hosts,
    counters: Object.fromEntries(counters.flat()),
  };
}

async function countersOf(
  stack: Stack,
  name: string,
): Promise<readonly (readonly [string, ServerCounters])[]> {
  try {
    return [[name, await stack.counters(name)]];
  } catch {
    return []; // It does not answer, which reconcile() allows for.
  }
}

/** Takes the sample for one moment of a run. */
async function takeSample(
  stack: Stack,
  names: ServerNames,
  atMs: number,
): Promise<Sample> {
  const [stats, hosts] = await Promise.all([
    stack.admin.stats(SAMPLE_FILTER),
    hostSamples(stack, names),
  ]);
  return {
    atMs,
    stats: Object.fromEntries(
      [...stats].map(([name, value]) => [name.replace(PREFIX, ""), value]),
    ),
    hosts,
  };
}

/**
 * Takes samples until the signal is aborted.
 *
 * @param names Updated; remembers servers that are gone.
 * @param onSample Called with each sample.
 */
export async function watch(
  stack: Stack,
  names: ServerNames,
  elapsedMs: () => number,
  onSample: (sample: Sample) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const startMs = elapsedMs();
    try {
      onSample(await takeSample(stack, names, startMs));
    } catch {
      // Envoy is down: an experiment may want that, and the gap shows.
    }
    const leftMs = SAMPLE_INTERVAL_MS - (elapsedMs() - startMs);
    await pause(Math.max(1, leftMs), signal);
  }
}
