/**
 * One server fails every call and passes every health check.
 *
 * Only outlier detection notices. The first ejection is shortened from 5 s to 2
 * s; the rest is as in envoy.yaml: five failures in a row eject a server, the
 * second ejection is longer, and a recovered server stays. The control shows
 * the trap: Envoy's default cap of 10 % ejects none of three servers, and only
 * retries would hide the failures.
 */
import {
  broken,
  type Experiment,
  heldIf,
  type History,
  type Judge,
  noRetries,
  outlierFields,
  shareBetween,
  unknown,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const FAULTY = "server-2";
const FAULT_AT_MS = 1000;

/** Ends after the second ejection has begun, before the third is due. */
const FAULT_MS = 5500;

/**
 * The server is back by then: failing until 6.5 s, ejected until about 8.5 s.
 */
const BACK_MS = 10_500;
const DURATION_MS = 13_000;

/**
 * Five failures eject the server, Envoy sends a few more calls before it acts,
 * and there are two ejections while the server fails.
 */
const TRIED_AGAIN_MAX = 20;

/** How often Envoy has ejected a server; here always the faulty one. */
const EJECTIONS = "outlier_detection.ejections_enforced_total";

/** A period in which a server was ejected, as far as the samples show. */
export interface Ejection {
  readonly fromMs: number;
  /** The first sample after its end; undefined if there is none. */
  readonly toMs: number | undefined;
  /**
   * Calls that Envoy sent to it meanwhile. The first and last samples do not
   * count, since hosts and counters are queried one after the other.
   */
  readonly calls: number;
}

/**
 * The ejections of a server, in order. A server that still fails may be ejected
 * again between two samples, so Envoy's counter tells them apart, too.
 */
export function ejectionsOf(
  { samples }: Pick<History, "samples">,
  server: string,
): readonly Ejection[] {
  const ejections: Ejection[] = [];
  let open: { fromMs: number; count: number; sent: number[] } | undefined;
  const close = (toMs: number | undefined) => {
    if (open === undefined) return;
    const inner = open.sent.slice(1, -1);
    const calls = (inner.at(-1) ?? 0) - (inner[0] ?? 0);
    ejections.push({ fromMs: open.fromMs, toMs, calls });
    open = undefined;
  };
  for (const { atMs, hosts, stats } of samples) {
    const host = hosts.find((one) => one.server === server);
    if (host === undefined) continue;
    const count = stats[EJECTIONS] ?? 0;
    if (!host.isEjected || (open !== undefined && count > open.count)) {
      close(atMs);
    }
    if (!host.isEjected) continue;
    open ??= { fromMs: atMs, count, sent: [] };
    open.sent.push(host.rqTotal);
  }
  close(undefined);
  return ejections;
}

/** The server is ejected soon after it starts to fail. */
const isEjectedSoon: Judge = (history) => {
  const [first] = ejectionsOf(history, FAULTY);
  if (first === undefined) return broken(`${FAULTY} was never ejected`);
  const tookMs = first.fromMs - FAULT_AT_MS;
  return heldIf(tookMs <= 1000, `ejected after ${tookMs.toFixed(0)} ms`);
};

/** An ejected server gets no call. */
const getsNoCall: Judge = (history) => {
  const ejections = ejectionsOf(history, FAULTY);
  if (ejections.length === 0) return broken(`${FAULTY} was never ejected`);
  const counts = ejections.map(({ calls }) => calls);
  return heldIf(
    counts.every((count) => count === 0),
    `${counts.join(", ")} calls in ${counts.length} ejections`,
  );
};

/** The second ejection is longer than the first. */
const isOutForLonger: Judge = (history) => {
  const [first, second] = ejectionsOf(history, FAULTY);
  if (first === undefined) return broken(`${FAULTY} was never ejected`);
  if (second === undefined) return broken(`${FAULTY} was ejected only once`);
  if (first.toMs === undefined || second.toMs === undefined) {
    return unknown(`${FAULTY} was still ejected at the end`);
  }
  const firstMs = first.toMs - first.fromMs;
  const secondMs = second.toMs - second.fromMs;
  return heldIf(
    secondMs >= firstMs + 1000,
    `out for ${firstMs.toFixed(0)} ms, then for ${secondMs.toFixed(0)} ms`,
  );
};

/** Few calls are retried. */
const triesFew: Judge = ({ calls }) => {
  const retried = calls.filter(({ attempts }) => attempts > 1).length;
  return heldIf(
    retried <= TRIED_AGAIN_MAX,
    `${retried} of ${calls.length} calls were retried`,
  );
};

export const faultyServer: Experiment = {
  name: "faulty-server",
  question: "What happens to a server that looks healthy but fails every call?",
  setup: {
    servers: 3,
    changes: [
      outlierFields("first ejection of 2 s", {
        base_ejection_time: "2s",
      }),
    ],
  },
  load: { ratePerS: 150, durationMs: DURATION_MS },
  events: [{
    atMs: FAULT_AT_MS,
    label: `${FAULTY} fails calls but passes health checks`,
    do: async ({ stack }) => {
      await stack.fault(FAULTY, { kind: "status", durationMs: FAULT_MS });
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "few",
      text: `at most ${TRIED_AGAIN_MAX} calls are retried`,
      judge: triesFew,
    },
    {
      id: "ejected",
      text: "it is ejected within a second",
      judge: isEjectedSoon,
    },
    {
      id: "no-call",
      text: "it gets no call while it is ejected",
      judge: getsNoCall,
    },
    {
      id: "longer",
      text: "it fails again when it returns and is ejected for longer",
      judge: isOutForLonger,
    },
    {
      id: "back",
      text: "once it has recovered it gets its third of the calls again",
      judge: shareBetween(FAULTY, 0.32, 0.35, { fromMs: BACK_MS }),
    },
  ],
  control: {
    about: "Envoy's default cap of 10 % ejected servers; no retries",
    changes: [
      noRetries,
      outlierFields("at most 10 % ejected", { max_ejection_percent: 10 }),
    ],
    breaks: ["lost", "ejected", "no-call", "longer"],
  },
  furtherControls: [{
    about: "no detector is enforced",
    changes: [
      outlierFields("no detector is enforced", {
        enforcing_consecutive_gateway_failure: 0,
      }),
    ],
    load: { durationMs: 3500 },
    breaks: ["ejected", "no-call"],
  }, {
    about: "the next passing health check brings it back",
    changes: [
      outlierFields("a passing health check ends an ejection", {
        successful_active_health_check_uneject_host: true,
      }),
    ],
    load: { durationMs: 6000 },
    breaks: ["few", "longer"],
  }],
};
