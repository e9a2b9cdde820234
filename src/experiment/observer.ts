/** Asks Envoy and the servers what they have counted. */
import type { ServerCounters } from "../io/proto.ts";
import { pause } from "../io/wait.ts";
import { GRPC_CLUSTER } from "../stack/envoy_config.ts";
import type { HostSample, Sample, Snapshot } from "./history.ts";
import type { Stack } from "../stack/stack.ts";

/** How often Envoy is asked during a run. */
const SAMPLE_INTERVAL_MS = 250;

/** What belongs to calls; not the admin page's own. */
const SNAPSHOT_FILTER =
  `^(cluster\\.${GRPC_CLUSTER}\\.|http\\.grpc\\.|listener\\.|server\\.|` +
  "listener_manager\\.|overload\\.|tcp\\.)";

/** What is watched during a run, in the cluster. */
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

/** Every server that there ever was: its name by its address. */
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

/** Everything that Envoy and the servers have counted until now. */
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
    return []; // it does not answer: reconcile() knows what to make of it.
  }
}

/** What one wants of Envoy every quarter of a second. */
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
 * @param names Is kept; what it knows of servers that have gone is used.
 * @param onSample Is given each.
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
      // Envoy is away: an experiment may want that, and its gap is seen.
    }
    const leftMs = SAMPLE_INTERVAL_MS - (elapsedMs() - startMs);
    await pause(Math.max(1, leftMs), signal);
  }
}
