/** Two of three servers are unhealthy and say so. */
import {
  type Experiment,
  heldIf,
  lostAtMost,
  noRetries,
  panicThreshold,
  type RunContext,
  unavailableIn,
} from "../src/experiment/authors.ts";
import { noPanic } from "./_claims.ts";

/** Health checks run every second, so by then Envoy knows. */
const KNOWN_MS = 3000;

const FAULT_AT_MS = 1000;

const FAULTY = ["server-1", "server-2"];

/** Both fail every call and answer health checks with NOT_SERVING. */
async function faultTwo({ stack }: RunContext): Promise<void> {
  await Promise.all(FAULTY.map((name) =>
    stack.fault(name, {
      kind: "status",
      durationMs: 60_000,
      isServing: false,
    })
  ));
}

export const panicThresholdDrill: Experiment = {
  name: "panic-threshold",
  question: "Does Envoy call servers that it knows to be unhealthy?",
  isShort: true,
  isForDocker: true,
  // No retries and no ejection, so that every call to an unhealthy server
  // shows.
  setup: { servers: 3, changes: [noRetries] },
  load: { ratePerS: 200, durationMs: 6000 },
  events: [{
    atMs: FAULT_AT_MS,
    label: "two of three report NOT_SERVING",
    do: faultTwo,
  }],
  isMeantToFail: unavailableIn({ fromMs: FAULT_AT_MS, toMs: KNOWN_MS }),
  claims: [
    {
      id: "lost",
      text: "once Envoy knows, no call is lost",
      judge: lostAtMost(0, { fromMs: KNOWN_MS }),
    },
    noPanic,
    {
      id: "known",
      text: "Envoy counts one healthy server",
      judge: ({ samples }) => {
        const healthy = samples.at(-1)?.stats["membership_healthy"];
        return heldIf(healthy === 1, `${healthy} healthy`);
      },
    },
  ],
  control: {
    about: "Envoy's default panic threshold of 50 %",
    changes: [panicThreshold(50)],
    breaks: ["lost", "panic"],
  },
};
