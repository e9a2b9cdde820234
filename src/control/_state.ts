/** A state for tests. */
import { LOAD_AT_FIRST } from "./callers.ts";
import type { ServerState, State } from "./state.ts";

/** A healthy server that has answered calls. */
export function serverState(
  number: number,
  own: Partial<ServerState> = {},
): ServerState {
  return {
    ...{ name: `server-${number}`, address: `127.0.0.${number}:8080` },
    ...{ process: "running", envoy: "healthy", ejectedUntilMs: null },
    ...{ faults: [], active: 0, started: 7, ok: 7 },
    latencyMs: { p50: 1.2, p99: 3.4 },
    ...own,
  };
}

/** A calm stack of `count` servers. */
export function stateOf(count: number, own: Partial<State> = {}): State {
  const servers = Array.from(
    { length: count },
    (_, index) => serverState(index + 1),
  );
  return {
    ...{ atMs: 0, stack: "native", adminUrl: "http://127.0.0.1:9901/" },
    endpoints: { l7: "127.0.0.1:5000", l4: "127.0.0.1:5001" },
    ...{ servers, serversMax: 10, load: LOAD_AT_FIRST, busy: "" },
    envoy: {
      ...{ isLive: true, total: count, healthy: count, isPanicking: false },
      ...{ ejectionsActive: 0, ejections: 0, openBreakers: [], overflows: 0 },
      ...{ retries: 0, retriesOverBudget: 0, retriesAllowed: 20 },
      retriesLeft: { min: 18, max: 20 },
    },
    protections: [],
    ledgers: {
      ...{ callers: { l7: 21, l4: 0 }, lost: { l7: 0, l4: 0 }, envoy: 21 },
      ...{ envoyTries: 21, servers: 21, agrees: true, verdict: "They agree." },
    },
    ...own,
  };
}
