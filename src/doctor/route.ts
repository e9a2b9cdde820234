/** What a listener does with calls. */
import type { Cluster } from "./cluster.ts";
import type { Message } from "./message.ts";

/** An HTTP connection manager. */
export interface Manager {
  readonly listener: Message;
  readonly chain: Message;
  readonly message: Message;
  /** Its HTTP filters' configurations. */
  readonly filters: readonly Message[];
}

/** A route to clusters. */
export interface Route {
  readonly manager: Manager;
  readonly virtualHost: Message;
  readonly message: Message;
  /** What it does: timeouts, retries. */
  readonly action: Message;
  /** Its name, or its path if it has none. */
  readonly name: string;
  /** What the paths that it matches begin with; undefined if that is unknown. */
  readonly path: string | undefined;
  readonly clusters: readonly Cluster[];
}
