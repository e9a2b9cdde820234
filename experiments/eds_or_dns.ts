/** Servers join and leave, found in a file or in DNS. */
import type { Claim, Experiment } from "../src/experiment/experiment.ts";
import { heldIf, measured } from "../src/experiment/judge.ts";
import type { RunContext } from "../src/experiment/run_context.ts";
import { noCallIsLost } from "./_claims.ts";

/**
 * Half of the second between two queries of DNS, so that one of them takes
 * longer in half of the cases, and all of them in next to none.
 */
const KNOWN_MS_MAX = 500;

const ROUNDS = 7;

const OUTAGE_MS = 2000;

/** One more server, and then one less, again and again. */
async function comeAndGo(run: RunContext): Promise<void> {
  for (let round = 0; round < ROUNDS && !run.signal.aborted; round += 1) {
    await run.stack.scale(4);
    run.measure("found", await run.awaitHealthy(4));
    await run.stack.scale(3);
    run.measure("gone", await run.awaitHealthy(3));
  }
}

/** The source disappears for a while. */
async function goMissing({ stack, wait }: RunContext): Promise<void> {
  await stack.setOutage("missing");
  await wait(OUTAGE_MS);
  await stack.setOutage(undefined);
}

function always(id: string, text: string): Claim {
  return {
    id,
    text: `${text} within ${KNOWN_MS_MAX} ms, ${ROUNDS} times`,
    judge: (history) => {
      const times = measured(history, id);
      const slowest = Math.max(...times);
      return heldIf(
        times.length === ROUNDS && slowest <= KNOWN_MS_MAX,
        `${times.map((ms) => ms.toFixed(0)).join(", ")} ms`,
      );
    },
  };
}

/** How soon does Envoy know? */
export const edsOrDns: Experiment = {
  name: "eds-or-dns",
  question:
    "How soon does Envoy know a new server, and one that is gone, from a file or from DNS?",
  setup: { servers: 3, discovery: "eds" },
  load: { ratePerS: 100, durationMs: 30_000 },
  events: [
    { atMs: 500, label: "the source is missing for 2 s", do: goMissing },
    { atMs: 3500, label: "a server joins and leaves", do: comeAndGo },
  ],
  claims: [
    noCallIsLost,
    always("found", "a new server is in use"),
    always("gone", "a server that has ended is forgotten"),
  ],
  control: {
    about: "DNS, which Envoy asks every second",
    setup: { discovery: "dns" },
    breaks: ["found", "gone"],
  },
};
