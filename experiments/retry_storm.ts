/**
 * All servers fail every call, slowly: now retries become a load of their own.
 *
 * Calls take 200 ms, so at 300 a second 60 are in flight. The budget allows 20
 * concurrent retries (20 % of the calls in flight is less), 200 ms each: 100
 * retries a second, or 1.33 attempts per call. Without it there are three
 * attempts per call. Ejection is off, or Envoy would soon have no server to
 * try.
 */
import {
  callsIn,
  clusterFields,
  type Experiment,
  heldIf,
  type Judge,
  lostAtMost,
  noOutlierDetection,
  type RunContext,
  statGrows,
  unavailableIn,
  unknown,
} from "../src/experiment/authors.ts";

const FAULT_AT_MS = 1000;
const FAULT_MS = 5000;
const HEALED_MS = FAULT_AT_MS + FAULT_MS;
const RECOVERY_MS_MAX = 2000;

/** 1.33 by arithmetic, plus a margin for the edges. */
const TRIES_A_CALL_MAX = 1.4;

/** Every server answers UNAVAILABLE after 200 ms but looks healthy. */
async function faultAll({ stack }: RunContext): Promise<void> {
  await Promise.all(
    stack.servers().map(async ({ name }) => {
      await stack.fault(name, {
        kind: "delay",
        delayMs: 200,
        durationMs: FAULT_MS,
      });
      await stack.fault(name, { kind: "status", durationMs: FAULT_MS });
    }),
  );
}

/** The average number of attempts per call while all servers failed. */
const triesACall: Judge = (history) => {
  // Without the first and last half second, which the fault covers only in
  // part.
  const calls = callsIn(history, {
    fromMs: FAULT_AT_MS + 500,
    toMs: HEALED_MS - 500,
  }).filter(({ attempts }) => attempts > 0);
  if (calls.length < 500) return unknown(`only ${calls.length} calls`);
  const tries = calls.reduce((sum, { attempts }) => sum + attempts, 0);
  const perCall = tries / calls.length;
  return heldIf(
    perCall <= TRIES_A_CALL_MAX,
    `${tries} attempts for ${calls.length} calls, ${
      perCall.toFixed(2)
    } per call`,
  );
};

export const retryStorm: Experiment = {
  name: "retry-storm",
  question: "How much load do retries add when every server fails?",
  isShort: true,
  setup: { servers: 3, changes: [noOutlierDetection] },
  load: { ratePerS: 300, durationMs: HEALED_MS + RECOVERY_MS_MAX + 1000 },
  events: [{
    atMs: FAULT_AT_MS,
    label: "all servers fail for 5 s",
    do: faultAll,
  }],
  isMeantToFail: unavailableIn({
    fromMs: FAULT_AT_MS,
    toMs: HEALED_MS + RECOVERY_MS_MAX,
  }),
  claims: [
    {
      id: "tries",
      text:
        `Envoy makes at most ${TRIES_A_CALL_MAX} attempts per call on average`,
      judge: triesACall,
    },
    {
      id: "budget",
      text: "the retry budget refuses further retries",
      judge: statGrows("upstream_rq_retry_overflow", { min: 1 }),
    },
    {
      id: "recovery",
      text:
        `from ${
          RECOVERY_MS_MAX / 1000
        } s after the servers' recovery no call ` + `is lost`,
      judge: lostAtMost(0, { fromMs: HEALED_MS + RECOVERY_MS_MAX }),
    },
  ],
  control: {
    about: "no retry budget, as many retries as calls",
    changes: [
      clusterFields("1024 concurrent retries", {
        circuit_breakers: { thresholds: [{ max_retries: 1024 }] },
      }),
    ],
    breaks: ["tries", "budget"],
  },
};
