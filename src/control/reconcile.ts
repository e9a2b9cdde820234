/** Whether callers, Envoy and servers have counted the same calls. */
import type { Ledgers } from "./state.ts";

/** What each side has counted. */
export interface Counted {
  readonly callers: Ledgers["callers"];
  readonly lost: Ledgers["lost"];
  /** Calls that Envoy has received on the balanced listener. */
  readonly envoy: number;
  readonly envoyTries: number;
  readonly servers: number;
  /** Whether calls are on their way now. */
  readonly isBusy: boolean;
  /** Whether a server's process was ended by force, and its counts with it. */
  readonly isCut: boolean;
}

function calls(count: number): string {
  return count === 1 ? "1 call" : `${count} calls`;
}

/** Compares the ledgers, and says what is between them. */
export function reconcileLedgers(counted: Counted): Ledgers {
  const { isBusy, isCut, ...ledgers } = counted;
  const { callers, lost, envoy, envoyTries, servers } = ledgers;
  if (isBusy) {
    return { ...ledgers, agrees: null, verdict: "Calls are on their way." };
  }
  const notes: string[] = [];
  let agrees: boolean | null = true;
  const others = envoy - callers.l7;
  if (others > 0) {
    notes.push(`${calls(others)} on the L7 listener came from others`);
  }
  if (others < 0) {
    notes.push(`${calls(-others)} found no Envoy`);
    // Those must be calls that their callers know to be lost.
    agrees = -others <= lost.l7;
  }
  const unseen = envoyTries + callers.l4 - servers;
  if (unseen > 0) {
    notes.push(
      `${
        calls(unseen)
      } reached no server, or one that was ended with its counts`,
    );
    agrees &&= isCut || unseen <= lost.l7 + lost.l4;
  }
  if (unseen < 0) {
    notes.push(`${calls(-unseen)} came to servers past the L7 listener`);
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
