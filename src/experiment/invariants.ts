/** Claims about every run, in addition to the experiment's own. */
import type { Claim, Experiment } from "./experiment.ts";
import type { History } from "./history.ts";
import {
  broken,
  held,
  heldIf,
  percentile,
  statGrowth,
  unknown,
} from "./judge.ts";
import { reconcile } from "./reconcile.ts";

/** A recorder later than this does not make the load that it should. */
const LATE_MS_MAX = 250;

/** Envoy finds every server healthy before the load starts. */
const healthyAtStart: Claim = {
  id: "healthy-at-start",
  text: "Envoy finds every server healthy at the start",
  judge: ({ before, setup }) => {
    const healthy = before.stats["cluster.grpc-server.membership_healthy"];
    const all = before.stats["cluster.grpc-server.membership_total"];
    const { addresses: expected = setup.servers } = setup;
    return heldIf(
      healthy === expected && all === expected,
      `${healthy} of ${all} healthy, ${expected} expected`,
    );
  },
};

/** Envoy calls no server that it considers unhealthy. */
const noPanic: Claim = {
  id: "no-panic",
  text: "Envoy does not panic",
  judge: (history) => {
    const before = history.before.stats["cluster.grpc-server.lb_healthy_panic"];
    const growth = statGrowth(history, "lb_healthy_panic");
    return heldIf(
      growth === 0 && (before ?? 0) === 0,
      `lb_healthy_panic ${(before ?? 0) + growth}`,
    );
  },
};

const noCrash: Claim = {
  id: "no-crash",
  text: "no program ends unexpectedly",
  judge: ({ crashes }) =>
    heldIf(crashes.length === 0, crashes.join(", ") || "none did"),
};

const eventsDone: Claim = {
  id: "events",
  text: "every event is done",
  judge: ({ events, isInterrupted }) => {
    const failed = events.filter(({ error }) => error !== undefined);
    if (failed.length === 0) return held(`${events.length} events`);
    const words = failed.map(({ label, error }) => `"${label}": ${error}`);
    return isInterrupted ? unknown(words.join("; ")) : broken(words.join("; "));
  },
};

const onTime: Claim = {
  id: "on-time",
  text: `99 % of the calls are made at most ${LATE_MS_MAX} ms late`,
  judge: ({ calls }) => {
    const lateMs = percentile(calls.map((call) => call.lateMs), 99) ?? 0;
    const words = `p99 ${lateMs.toFixed(1)} ms late`;
    return lateMs <= LATE_MS_MAX
      ? held(words)
      : unknown(`${words}: this machine is too busy to tell`);
  },
};

const ledgersAgree: Claim = {
  id: "reconciliation",
  text: "the ledgers of callers, Envoy and servers agree",
  judge: (history: History) => {
    const lines = reconcile(history);
    const wrong = lines.filter(({ agrees }) => !agrees);
    if (wrong.length === 0) return held(`${lines.length} lines`);
    const words = wrong.map(({ what, count, min, max }) =>
      `${count} ${what}, should be ${min === max ? min : `${min} to ${max}`}`
    ).join("; ");
    return history.isInterrupted ? unknown(words) : broken(words);
  },
};

/**
 * The claims that every run must meet in addition to its own.
 *
 * @param isControl In a control Envoy may panic: that may be what it shows.
 */
export function invariants(
  setup: Experiment["setup"],
  isControl: boolean,
): readonly Claim[] {
  const { addresses = setup.servers, healthyAtStart: atStart = addresses } =
    setup;
  return [
    ...(atStart >= addresses ? [healthyAtStart] : []),
    ...(isControl || setup.mayPanic ? [] : [noPanic]),
    noCrash,
    eventsDone,
    // A claim that breaks in a control breaks, on time or not.
    ...(isControl ? [] : [onTime]),
    ledgersAgree,
  ];
}
