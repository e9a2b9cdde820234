/** DNS fails in every way while calls are made. */
import {
  clusterFields,
  type Experiment,
  heldIf,
  type History,
  type Judgement,
  type RunContext,
} from "../src/experiment/authors.ts";
import type { Outage } from "../src/stack/discovery.ts";
import { knownServers, noCallIsLost } from "./_claims.ts";

/** Two and more queries of Envoy, which asks every second. */
const OUTAGE_MS = 2200;

/** For the next good answer. */
const BETWEEN_MS = 1200;

/** In this order, with the words for charts. */
const OUTAGES: readonly (readonly [Outage, string])[] = [
  ["empty", "DNS has no address"],
  ["missing", "DNS: no such name"],
  ["failing", "DNS: SERVFAIL"],
  ["silent", "DNS does not answer"],
  ["slow", "DNS answers after 2 s"],
];

const FIRST_AT_MS = 500;

const SCALE_AT_MS = FIRST_AT_MS + OUTAGES.length * (OUTAGE_MS + BETWEEN_MS);

async function failWith(
  outage: Outage,
  { stack, wait }: RunContext,
): Promise<void> {
  await stack.setOutage(outage);
  await wait(OUTAGE_MS);
  await stack.setOutage(undefined);
}

/** What each outage costs: the fewest servers that Envoy knew, and lost calls. */
function allAreKept(history: History): Judgement {
  const each = OUTAGES.map(([, label], index) => {
    const fromMs = FIRST_AT_MS + index * (OUTAGE_MS + BETWEEN_MS);
    const isIn = (atMs: number) =>
      atMs >= fromMs && atMs < fromMs + OUTAGE_MS + BETWEEN_MS;
    const known = knownServers(history, isIn);
    const lost = history.calls.filter(({ startMs, status }) =>
      isIn(startMs) && status !== "OK"
    );
    return { label, fewest: Math.min(...known), lost: lost.length };
  });
  return heldIf(
    each.every(({ fewest }) => fewest >= 3 && fewest < Infinity),
    each.map(({ label, fewest, lost }) =>
      `${label}: ${fewest} servers, ${lost} calls lost`
    ).join("; "),
  );
}

const healthIgnored = clusterFields(
  "health ignored when a server is gone from DNS",
  { ignore_health_on_host_removal: true },
);

export const dnsOutage: Experiment = {
  name: "dns-outage",
  question: "Is a call lost while DNS knows no server, or does not answer?",
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: SCALE_AT_MS + 5000 },
  events: [
    ...OUTAGES.map(([outage, label], index) => ({
      atMs: FIRST_AT_MS + index * (OUTAGE_MS + BETWEEN_MS),
      label,
      do: (run: RunContext) => failWith(outage, run),
    })),
    {
      atMs: SCALE_AT_MS,
      label: "scale 3 to 4",
      do: ({ stack }) => stack.scale(4),
    },
  ],
  claims: [
    noCallIsLost,
    {
      id: "kept",
      text: "Envoy keeps all three servers in each outage",
      judge: allAreKept,
    },
    {
      id: "later",
      text: "a server that joins afterwards is found",
      judge: ({ calls }) => {
        const count = calls.filter(({ server }) => server === "server-4");
        return heldIf(count.length > 0, `${count.length} calls on server-4`);
      },
    },
  ],
  control: {
    about: "servers that are gone from DNS are dropped at once",
    changes: [healthIgnored],
    breaks: ["lost", "kept"],
  },
  furtherControls: [{
    about: "the same, with DNS asked every 2.1 s",
    changes: [
      healthIgnored,
      clusterFields("a longer time between two queries", {
        dns_refresh_rate: `${(OUTAGE_MS - 100) / 1000}s`,
      }),
    ],
    breaks: ["lost", "kept"],
  }],
};
