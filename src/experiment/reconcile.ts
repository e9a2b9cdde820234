/**
 * A ledger is one side's count of the calls. The ledgers of callers, Envoy and
 * servers must agree; a difference is a defect of the bench.
 */
import { isFailed, statGrowth } from "./judge.ts";
import type { Action, History } from "./history.ts";

/** One comparison: a count, and what the other ledgers allow for it. */
export interface Comparison {
  readonly what: string;
  readonly count: number;
  /** What the other ledgers allow; `min` equals `max` if it is exact. */
  readonly min: number;
  readonly max: number;
  readonly agrees: boolean;
}

/** Actions that cut a server's connections, so that calls may not reach it. */
const CUTTING: ReadonlySet<Action["kind"]> = new Set([
  "SIGTERM",
  "SIGKILL",
  "pause",
  "scale",
]);

/** Envoy's counters of attempts that no server got. */
const NO_SERVER = [
  "upstream_cx_none_healthy",
  "upstream_rq_pending_overflow",
  "upstream_rq_active_overflow",
] as const;

/** Envoy's counters of calls that were reset. */
const RESETS = ["upstream_rq_tx_reset", "upstream_rq_rx_reset"] as const;

function line(
  what: string,
  count: number,
  min: number,
  max: number,
): Comparison {
  return { what, count, min, max, agrees: count >= min && count <= max };
}

function sumOf(history: History, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + statGrowth(history, name), 0);
}

/** Whether something cut this server's connections in the run. */
function isCut(history: History, server: string): boolean {
  return history.actions.some((action) =>
    action.server === server && (CUTTING.has(action.kind) ||
      action.fault?.kind === "drop" || action.fault?.kind === "refuse")
  );
}

/**
 * Compares the ledgers of a run.
 *
 * Calls that were lost, cut or made by events may be missing in the next
 * ledger, so they widen what is allowed; without them every line is exact. A
 * killed server takes its counters with it, and a restarted Envoy counts from
 * zero: there is no line for those.
 */
export function reconcile(history: History): readonly Comparison[] {
  if (history.actions.some(({ kind }) => kind === "envoy")) return [];
  if (history.load.listener === "l4") return [];
  return [...envoyLines(history), ...serverLines(history)];
}

function envoyLines(history: History): readonly Comparison[] {
  const { calls, extraCalls, unsureCalls } = history;
  const answered = calls.filter(({ isAnswered }) => isAnswered).length;
  const lost = calls.filter(isFailed).length + extraCalls;
  const downstream = statGrowth(history, "http.grpc.downstream_rq_total");
  const tries = downstream + statGrowth(history, "upstream_rq_retry");
  const sent = tries - sumOf(history, NO_SERVER);
  // Attempts that waited for a connection that failed. Envoy does not count
  // them: the first counter includes those that got a connection, the second
  // those that lost it.
  const unconnected = Math.min(
    statGrowth(history, "upstream_rq_pending_total"),
    statGrowth(history, "upstream_rq_pending_failure_eject"),
  );
  return [
    line(
      "calls that Envoy received, of those that callers made",
      downstream,
      answered + extraCalls - unsureCalls,
      calls.length + extraCalls,
    ),
    line(
      "attempts that Envoy sent to servers, of calls and retries",
      statGrowth(history, "upstream_rq_total"),
      sent - unconnected - lost,
      lost === 0 ? sent : tries,
    ),
  ];
}

/** Whether discovery dropped an address, after which Envoy counts from zero. */
function wasDropped({ before, samples }: History, address: string): boolean {
  return [before, ...samples].some(({ hosts }) =>
    !hosts.some((host) => host.address === address)
  );
}

function serverLines(history: History): readonly Comparison[] {
  const { before, after, calls, extraCalls, directCalls } = history;
  const slack = calls.filter(isFailed).length + extraCalls +
    sumOf(history, RESETS);
  return after.hosts.flatMap((host) => {
    const { server } = host;
    const counted = after.counters[server];
    if (counted === undefined) return [];
    const isNew = history.actions.some((action) =>
      action.server === server &&
      (action.kind === "start" || action.kind === "scale")
    );
    const growth = (key: "started" | "ok") => {
      const sum = (counters: typeof counted | undefined) =>
        (counters?.methods ?? []).reduce((total, one) => total + one[key], 0);
      return sum(counted) - (isNew ? 0 : sum(before.counters[server]));
    };
    const isDropped = wasDropped(history, host.address);
    const earlier = before.hosts.find(({ address }) =>
      address === host.address
    );
    const sent = host.rqTotal - (isDropped ? 0 : earlier?.rqTotal ?? 0);
    // A server that outlived its place in discovery counted on.
    const sentMax = isDropped && !isNew
      ? statGrowth(history, "upstream_rq_total")
      : sent;
    const started = growth("started");
    const wasCut = isCut(history, server);
    const answered = calls.filter((call) =>
      call.server === server && !isFailed(call)
    ).length;
    return [
      line(
        `calls that ${server} started, of those that Envoy sent to it`,
        started,
        wasCut ? 0 : sent - slack,
        sentMax + directCalls,
      ),
      line(
        `calls that ${server} answered OK, of those that callers saw from it`,
        growth("ok"),
        wasCut ? 0 : answered,
        started,
      ),
    ];
  });
}
