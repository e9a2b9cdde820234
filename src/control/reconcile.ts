/** Compares the counts of callers, Envoy and servers. */
import type { Ledgers } from "./state.ts";

/** The counts of each side. */
export interface Counted {
  readonly callers: Ledgers["callers"];
  readonly lost: Ledgers["lost"];
  /** Calls that Envoy received on the balanced listener. */
  readonly envoy: number;
  readonly envoyTries: number;
  readonly servers: number;
  /** Whether calls are in flight now. */
  readonly isBusy: boolean;
  /** Whether a server was killed, and its counts lost. */
  readonly isCut: boolean;
}

function calls(count: number): string {
  return count === 1 ? "1 call" : `${count} calls`;
}

/** Compares the ledgers and explains the difference. */
export function reconcileLedgers(counted: Counted): Ledgers {
  const { isBusy, isCut, ...ledgers } = counted;
  const { callers, lost, envoy, envoyTries, servers } = ledgers;
  if (isBusy) {
    return { ...ledgers, agrees: null, verdict: "Calls are in flight." };
  }
  const notes: string[] = [];
  let agrees: boolean | null = true;
  const others = envoy - callers.l7;
  if (others > 0) {
    notes.push(`${calls(others)} on the L7 listener came from others`);
  }
  if (others < 0) {
    notes.push(`${calls(-others)} never reached Envoy`);
    // Their callers must have counted them as lost.
    agrees = -others <= lost.l7;
  }
  const unseen = envoyTries + callers.l4 - servers;
  if (unseen > 0) {
    notes.push(
      `${
        calls(unseen)
      } reached no server, or one that was killed with its counts`,
    );
    agrees &&= isCut || unseen <= lost.l7 + lost.l4;
  }
  if (unseen < 0) {
    notes.push(`${calls(-unseen)} reached servers without the L7 listener`);
    agrees &&= null;
  }
  const head = agrees === null
    ? "They cannot be compared"
    : agrees
    ? "They agree"
    : "They differ";
  const verdict = `${[head, ...notes].join("; ")}.`;
  return { ...ledgers, agrees, verdict };
}
