/**
 * More calls in flight than the servers should have.
 *
 * The limit is lowered to 10 so that a small load reaches it: 200 calls a
 * second of half a second each would be 100 in flight. Calls over the limit
 * must be refused at once and marked as overload (so that nobody retries them),
 * and the three ledgers must agree on their number.
 */
import {
  callsInFlight,
  type Experiment,
  heldIf,
  isFailed,
  type Judge,
  measuredBetween,
  noCircuitBreaker,
  percentile,
  type RunContext,
  statGrowth,
} from "../src/experiment/authors.ts";
import { Greeter } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";

const CALLS_MAX = 10;
const WORK_MS = 500;
const LOAD_MS = 4000;
const REFUSED_MS_MAX = 50;

/** Calls made after the load has stopped, one after the other. */
const PROBES = 20;

/** Makes calls when all is quiet again and counts those that succeed. */
async function probe(run: RunContext): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  let good = 0;
  for (let made = 0; made < PROBES && !run.signal.aborted; made += 1) {
    run.addCalls(1);
    const options = { deadlineMs: 1000 };
    const { status } = await callToEnd(client, "SayHello", {}, options);
    if (status === "OK") good += 1;
  }
  client.close();
  run.measure("good calls afterwards", good);
}

/** Neither Envoy nor a server ever has more calls in flight than the limit. */
const staysBelow: Judge = ({ samples, after }) => {
  const inFlight = samples.map(({ hosts }) =>
    hosts.reduce((sum, { rqActive }) => sum + rqActive, 0)
  );
  const mostAtEnvoy = Math.max(0, ...inFlight);
  const mostOnOne = Math.max(
    ...Object.values(after.counters).flatMap(({ methods }) =>
      methods.map(({ inFlightMax }) => inFlightMax)
    ),
  );
  return heldIf(
    mostAtEnvoy > 0 && mostAtEnvoy <= CALLS_MAX && mostOnOne <= CALLS_MAX,
    `at most ${mostAtEnvoy} at Envoy, ${mostOnOne} on one server`,
  );
};

/** Refusals are fast and say that they are overload. */
const areRefusedWell: Judge = ({ calls }) => {
  const refused = calls.filter(isFailed);
  const wrong = refused.filter(({ status, isOverloaded, attempts }) =>
    status !== "UNAVAILABLE" || !isOverloaded || attempts > 1
  );
  const valueMs = percentile(refused.map(({ latencyMs }) => latencyMs), 99) ??
    0;
  return heldIf(
    refused.length > 0 && wrong.length === 0 && valueMs <= REFUSED_MS_MAX,
    `${refused.length} of ${calls.length} refused, ${wrong.length} of them ` +
      `without the mark or retried, p99 ${valueMs.toFixed(1)} ms`,
  );
};

/** Envoy counts exactly the refusals that callers saw. */
const isCounted: Judge = (history) => {
  const refused = history.calls.filter(({ isOverloaded }) => isOverloaded);
  const counted = statGrowth(history, "upstream_rq_active_overflow") +
    statGrowth(history, "upstream_rq_pending_overflow");
  return heldIf(
    refused.length > 0 && counted === refused.length,
    `${refused.length} refused, Envoy counted ${counted}`,
  );
};

export const circuitBreaker: Experiment = {
  name: "circuit-breaker",
  question: "What happens to calls over the limit of calls in flight?",
  isShort: true,
  isOfOwnSettings: true,
  setup: { servers: 3, changes: [callsInFlight(CALLS_MAX)] },
  load: { ratePerS: 200, durationMs: LOAD_MS, workMs: WORK_MS },
  events: [{
    atMs: LOAD_MS + WORK_MS + 200,
    label: "calls after the load",
    do: probe,
  }],
  isMeantToFail: ({ isOverloaded }) => isOverloaded,
  claims: [
    {
      id: "limit",
      text: `the servers never have more than ${CALLS_MAX} calls in flight`,
      judge: staysBelow,
    },
    {
      id: "refused",
      text: `the others are UNAVAILABLE and marked as overload, 99 % within ` +
        `${REFUSED_MS_MAX} ms, and not retried`,
      judge: areRefusedWell,
    },
    {
      id: "counted",
      text: "Envoy counts every refusal, once",
      judge: isCounted,
    },
    {
      id: "afterwards",
      text: "every call succeeds as soon as the load is gone",
      judge: measuredBetween("good calls afterwards", { min: PROBES }),
    },
  ],
  control: {
    about: "Envoy's default limit of 1024 calls in flight",
    setup: { changes: [noCircuitBreaker] },
    breaks: ["limit", "refused", "counted"],
  },
};
