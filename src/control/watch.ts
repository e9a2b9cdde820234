/** Watches a running stack: its processes, and Envoy's view of them. */
import type { Fault } from "../core/fault.ts";
import { at } from "../core/yaml.ts";
import { grpcCluster, limitsOfCalls } from "../experiment/changes.ts";
import type { ServerCounters } from "../io/proto.ts";
import { type EnvoyConfig, GRPC_CLUSTER } from "../stack/envoy_config.ts";
import type { Stats, UpstreamHost } from "../stack/envoy_admin.ts";
import type { Stack } from "../stack/stack.ts";
import type {
  EnvoyState,
  EnvoyView,
  ProcessState,
  ServerState,
} from "./state.ts";

const PREFIX = `cluster.${GRPC_CLUSTER}.`;

const FILTER = `^(cluster\\.${GRPC_CLUSTER}\\.(membership_(healthy|total)|` +
  "lb_healthy_panic|outlier_detection\\.ejections_(active|enforced_total)|" +
  "circuit_breakers\\.(default|high)\\..+_open|" +
  "circuit_breakers\\.default\\.remaining_retries|" +
  "upstream_rq_(total|active|pending_active|retry|retry_overflow|pending_overflow|active_overflow))|" +
  "http\\.grpc\\.downstream_rq_(total|active)|server\\.live)$";

/** Those that only grow; the others are gauges. */
const COUNTERS =
  /_rq_total$|_enforced_total$|_retry$|_overflow$|lb_healthy_panic$/;

/** Envoy's state while it does not answer. */
const NO_ENVOY: EnvoyState = {
  isLive: false,
  total: 0,
  healthy: 0,
  isPanicking: false,
  ejectionsActive: 0,
  ejections: 0,
  openBreakers: [],
  retries: 0,
  retriesOverBudget: 0,
  retriesAllowed: 0,
  retriesLeft: { min: 0, max: 0 },
  overflows: 0,
};

/** Envoy's counts of calls. */
export interface EnvoyCounts {
  readonly received: number;
  readonly active: number;
  readonly tries: number;
}

/** What Envoy does not report, from its configuration. */
interface ConfiguredLimits {
  /** How long a first ejection lasts. */
  readonly ejectionMs: number;
  /**
   * The retry budget: a share of the calls in flight, and a minimum; null
   * without one.
   */
  readonly budget: { readonly percent: number; readonly min: number } | null;
  /** The limit without a budget, and where "rq_retry_open" becomes 1. */
  readonly retriesMax: number;
  /** Whether "remaining_retries" is kept up to date; not with a budget. */
  readonly isTracked: boolean;
}

/** Envoy's defaults where the configuration has no value. */
const ENVOY_DEFAULTS = { ejectionS: 30, percent: 20, min: 3, retriesMax: 3 };

/** The balanced cluster's limits, as configured. */
function configuredLimits(config: EnvoyConfig): ConfiguredLimits {
  const cluster = grpcCluster(config);
  const ejection = at(cluster, "outlier_detection", "base_ejection_time");
  const threshold = limitsOfCalls(config);
  const budget = at(threshold, "retry_budget");
  const { ejectionS, percent, min, retriesMax } = ENVOY_DEFAULTS;
  return {
    ejectionMs: 1000 * (Number.parseFloat(String(ejection)) || ejectionS),
    budget: budget === undefined ? null : {
      percent: Number(at(budget, "budget_percent", "value") ?? percent),
      min: Number(at(budget, "min_retry_concurrency") ?? min),
    },
    retriesMax: Number(at(threshold, "max_retries") ?? retriesMax),
    isTracked: budget === undefined &&
      at(threshold, "track_remaining") === true,
  };
}

/** A server's counts over all of its processes. */
interface Tally {
  readonly before: { readonly started: number; readonly ok: number };
  readonly last: {
    readonly uptimeMs: number;
    readonly started: number;
    readonly ok: number;
  };
}

/** What the watch sees of a server; only callers know latencies. */
export type WatchedServer = Omit<ServerState, "latencyMs">;

/** What is known about a server besides Envoy's view. */
interface Known {
  process?: Exclude<ProcessState, "running" | "stopped">;
  isLeaving?: boolean;
  faults: Map<string, number>;
  ejections: number;
  ejectedUntilMs: number | null;
  tally: Tally;
}

const NOTHING: Tally = {
  before: { started: 0, ok: 0 },
  last: { uptimeMs: 0, started: 0, ok: 0 },
};

/** Says at the limit without a budget that retries are refused. */
const RETRY_BREAKER = "rq_retry_open";

/** The names of the open circuit breakers. */
function openBreakers(
  stats: Stats,
  { budget }: ConfiguredLimits,
): readonly string[] {
  const found: string[] = [];
  for (const [name, value] of stats) {
    const [, priority, breaker] =
      /circuit_breakers\.(default|high)\.(.+_open)$/.exec(name) ?? [];
    if (breaker === undefined || value === 0) continue;
    // With a budget Envoy still sets it at three retries, and refuses none.
    if (breaker === RETRY_BREAKER && budget !== null) continue;
    found.push(priority === "high" ? `${breaker} (streams)` : breaker);
  }
  return found;
}

/** Polls a stack and keeps the latest view. */
export class Watch {
  readonly #stack: Stack;
  readonly #now: () => number;
  #limits: ConfiguredLimits;
  readonly #known = new Map<string, Known>();
  readonly #names = new Map<string, string>();
  #hosts: readonly UpstreamHost[] = [];
  /** The counts of Envoys that were replaced or restarted. */
  #before: Stats = new Map();
  #stats: Stats = new Map();
  #panics = 0;
  #envoy: EnvoyState = NO_ENVOY;
  #counts: EnvoyCounts = { received: 0, active: 0, tries: 0 };

  /**
   * @param config Envoy's configuration.
   * @param now Milliseconds since 1970.
   */
  constructor(
    stack: Stack,
    config: EnvoyConfig,
    now: () => number = Date.now,
  ) {
    this.#stack = stack;
    this.#limits = configuredLimits(config);
    this.#now = now;
  }

  get envoy(): EnvoyState {
    return this.#envoy;
  }

  get counts(): EnvoyCounts {
    return this.#counts;
  }

  /** The name of the server at an address, even if it is gone. */
  nameOf(address: string): string {
    for (const server of this.#stack.servers()) {
      this.#names.set(server.address, server.name);
    }
    return this.#names.get(address) ?? address;
  }

  /** Notes what is being done to a server; undefined means nothing. */
  note(name: string, process: Known["process"] | "leaving" | undefined): void {
    const known = this.#of(name);
    known.isLeaving = process === "leaving";
    if (process === undefined || process === "leaving") delete known.process;
    else known.process = process;
  }

  /** Notes a fault of a server. */
  noteFault(name: string, fault: Fault): void {
    this.#of(name).faults.set(fault.kind, this.#now() + fault.durationMs);
  }

  /** Forgets a server's faults: they were cleared, or the process is new. */
  forgetFaults(name: string): void {
    this.#of(name).faults.clear();
  }

  /**
   * From now on another Envoy answers, which counts from 0. Poll the old one
   * just before.
   */
  noteNewEnvoy(): void {
    const names = [...this.#stats.keys()].filter((name) => COUNTERS.test(name));
    this.#before = new Map(
      names.map((name) => [name, this.#stats.get(name) ?? 0]),
    );
  }

  /** From now on Envoy has another configuration. */
  noteConfig(config: EnvoyConfig): void {
    this.#limits = configuredLimits(config);
  }

  /** Polls Envoy; when it does not answer, it is not live. */
  async askEnvoy(): Promise<void> {
    try {
      const [stats, hosts] = await Promise.all([
        this.#stack.admin.stats(FILTER),
        this.#stack.admin.hosts(GRPC_CLUSTER),
      ]);
      this.#hosts = hosts;
      this.#stats = new Map(
        [...stats].map(([name, value]) => [
          name,
          value + (this.#before.get(name) ?? 0),
        ]),
      );
      this.#readStats(this.#stats);
      this.#noteEjections();
    } catch {
      this.#envoy = { ...this.#envoy, isLive: false, healthy: 0 };
      this.#hosts = [];
    }
  }

  /** Reads the counters of each running server. */
  async askServers(): Promise<void> {
    const asked = this.#stack.servers().filter(({ name, isRunning }) =>
      isRunning && this.#known.get(name)?.process === undefined
    );
    await Promise.all(asked.map(async ({ name }) => {
      try {
        this.#count(name, await this.#stack.counters(name));
      } catch {
        // It has just ended, or is too busy; the next poll will tell.
      }
    }));
  }

  servers(): readonly WatchedServer[] {
    return this.#stack.servers().map(({ name, address, isRunning }) => {
      const known = this.#of(name);
      const host = this.#hosts.find((one) => one.address === address);
      const { before, last } = known.tally;
      return {
        name,
        address,
        process: known.process ?? (isRunning ? "running" : "stopped"),
        envoy: this.#viewOf(known, host),
        ejectedUntilMs: known.ejectedUntilMs,
        faults: this.#faultsOf(known),
        active: host?.stats.get("rq_active") ?? 0,
        started: before.started + last.started,
        ok: before.ok + last.ok,
      };
    });
  }

  /** The calls started by all servers, including those that are gone. */
  started(): number {
    return [...this.#known.values()].reduce(
      (sum, { tally: { before, last } }) => sum + before.started + last.started,
      0,
    );
  }

  #of(name: string): Known {
    const found = this.#known.get(name);
    if (found !== undefined) return found;
    const made: Known = {
      faults: new Map(),
      ejections: 0,
      ejectedUntilMs: null,
      tally: NOTHING,
    };
    this.#known.set(name, made);
    return made;
  }

  #viewOf(known: Known, host: UpstreamHost | undefined): EnvoyView {
    if (!this.#envoy.isLive) return "unknown";
    if (host === undefined) return "not in DNS";
    if (host.isEjected) return "ejected";
    if (host.isHealthy) return "healthy";
    return known.isLeaving ? "draining" : "failing checks";
  }

  #faultsOf({ faults }: Known): ServerState["faults"] {
    const nowMs = this.#now();
    for (const [kind, untilMs] of faults) {
      if (untilMs <= nowMs) faults.delete(kind);
    }
    return [...faults].map(([kind, untilMs]) => ({ kind, untilMs }));
  }

  /**
   * An ejection lasts the base time multiplied by the host's ejections so far.
   */
  #noteEjections(): void {
    for (const host of this.#hosts) {
      const known = this.#of(this.nameOf(host.address));
      if (!host.isEjected) known.ejectedUntilMs = null;
      else if (known.ejectedUntilMs === null) {
        known.ejections += 1;
        known.ejectedUntilMs = this.#now() +
          known.ejections * this.#limits.ejectionMs;
      }
    }
  }

  /** Envoy's rule: a share of the calls in flight, but at least the minimum. */
  #retriesAllowed(inFlight: number): number {
    const { budget, retriesMax } = this.#limits;
    return budget === null
      ? retriesMax
      : Math.max(budget.min, Math.floor(inFlight * budget.percent / 100));
  }

  #retriesLeft(stats: Stats, allowed: number): EnvoyState["retriesLeft"] {
    const { retriesMax, isTracked } = this.#limits;
    const of = (name: string) =>
      stats.get(`${PREFIX}circuit_breakers.default.${name}`) ?? 0;
    if (isTracked) {
      const left = of("remaining_retries");
      return { min: left, max: left };
    }
    return of(RETRY_BREAKER) > 0
      ? { min: 0, max: Math.max(0, allowed - retriesMax) }
      : { min: Math.max(0, allowed - retriesMax + 1), max: allowed };
  }

  #readStats(stats: Stats): void {
    const of = (name: string) => stats.get(PREFIX + name) ?? 0;
    const panics = of("lb_healthy_panic");
    const retriesAllowed = this.#retriesAllowed(
      of("upstream_rq_active") + of("upstream_rq_pending_active"),
    );
    this.#envoy = {
      isLive: stats.get("server.live") === 1,
      total: of("membership_total"),
      healthy: of("membership_healthy"),
      isPanicking: panics > this.#panics,
      ejectionsActive: of("outlier_detection.ejections_active"),
      ejections: of("outlier_detection.ejections_enforced_total"),
      openBreakers: openBreakers(stats, this.#limits),
      retries: of("upstream_rq_retry"),
      retriesOverBudget: of("upstream_rq_retry_overflow"),
      retriesAllowed,
      retriesLeft: this.#retriesLeft(stats, retriesAllowed),
      overflows: of("upstream_rq_pending_overflow") +
        of("upstream_rq_active_overflow"),
    };
    this.#panics = panics;
    this.#counts = {
      received: stats.get("http.grpc.downstream_rq_total") ?? 0,
      active: stats.get("http.grpc.downstream_rq_active") ?? 0,
      tries: of("upstream_rq_total"),
    };
  }

  #count(name: string, counters: ServerCounters): void {
    const known = this.#of(name);
    const sum = (key: "started" | "ok") =>
      counters.methods.reduce((total, one) => total + one[key], 0);
    const { before, last } = known.tally;
    const isNewProcess = counters.uptimeMs < last.uptimeMs;
    known.tally = {
      before: isNewProcess
        ? { started: before.started + last.started, ok: before.ok + last.ok }
        : before,
      last: {
        uptimeMs: counters.uptimeMs,
        started: sum("started"),
        ok: sum("ok"),
      },
    };
  }
}
