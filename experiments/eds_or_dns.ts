/** Servers join and leave, found in a file or in DNS. */
import {
  type Claim,
  type Experiment,
  heldIf,
  type History,
  type Judgement,
  measured,
  measuredBetween,
  type RunContext,
} from "../src/experiment/authors.ts";
import { knownServers, noCallIsLost } from "./_claims.ts";

/**
 * Half of the second between two queries of DNS, so that one of them takes
 * longer in half of the cases, and all of them in next to none.
 */
const KNOWN_MS_MAX = 500;

const ROUNDS = 7;

const OUTAGE_MS = 2000;

const IS_BACK = "the source is back";

/** DNS is asked again up to 2 s after a failed query; a server ends in 3 s. */
const COME_AND_GO_AT_MS = 10_000;

/** One more server, and then one less, again and again. */
async function comeAndGo(run: RunContext): Promise<void> {
  for (let round = 0; round < ROUNDS && !run.signal.aborted; round += 1) {
    await run.stack.scale(4);
    run.measure("found", await run.awaitHealthy(4));
    await run.stack.scale(3);
    run.measure("gone", await run.awaitHealthy(3));
  }
}

/** The source disappears for a while, and a server joins meanwhile. */
async function goMissing(run: RunContext): Promise<void> {
  const { stack } = run;
  await stack.setOutage("missing");
  await stack.scale(4);
  await run.wait(OUTAGE_MS);
  run.mark(IS_BACK);
  await stack.setOutage(undefined);
  run.measure("found afterwards", await run.awaitHealthy(4));
  await stack.scale(3);
  await run.awaitHealthy(3);
}

/** Envoy knows three servers until the source is back. */
function allAreKept(history: History): Judgement {
  const backMs =
    history.events.find(({ label }) => label === IS_BACK)?.startMs ?? 0;
  const known = knownServers(history, (atMs) => atMs < backMs);
  const fewest = Math.min(...known);
  return heldIf(
    known.length > 0 && fewest === 3,
    `at least ${fewest} in ${known.length} samples`,
  );
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
  load: { ratePerS: 100, durationMs: 37_000 },
  events: [
    { atMs: 500, label: "the source is missing", do: goMissing },
    {
      atMs: COME_AND_GO_AT_MS,
      label: "a server joins and leaves",
      do: comeAndGo,
    },
  ],
  claims: [
    noCallIsLost,
    always("found", "a new server is in use"),
    always("gone", "a server that has ended is forgotten"),
    {
      id: "kept",
      text: "all three servers are kept while the source is missing",
      judge: allAreKept,
    },
    {
      id: "afterwards",
      text: "a server that joined meanwhile is in use " +
        `within ${KNOWN_MS_MAX} ms of its end`,
      judge: measuredBetween("found afterwards", {
        max: KNOWN_MS_MAX,
        unit: "ms",
      }),
    },
  ],
  control: {
    about: "DNS, which Envoy asks every second",
    setup: { discovery: "dns" },
    breaks: ["found", "gone"],
  },
};
