/** How Envoy finds the servers of the native stack. */
import type { Cluster } from "./envoy_config.ts";

/** Where a server listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * How a source of servers fails.
 *
 * - `empty`: it knows no server
 * - `missing`: it does not exist: NXDOMAIN, or no file
 * - `failing`: it answers with an error: SERVFAIL, or a malformed file
 * - `silent`: it does not answer
 * - `slow`: it answers late
 */
export type Outage = "empty" | "missing" | "failing" | "silent" | "slow";

/** A source of servers. */
export interface Discovery {
  /** Where the server with this number, from 1, is to listen. */
  placeOf(number: number): Place;
  /** Makes a cluster of the servers use this source, in place. */
  configure(cluster: Cluster): void;
  /** Makes these servers known. */
  publish(servers: readonly Place[]): Promise<void>;
  /**
   * Makes the source fail, or work again.
   * @throws {RangeError} When it cannot fail in this way.
   */
  setOutage(outage: Outage | undefined): Promise<void>;
  /** Removes what it needed. */
  close(): Promise<void>;
}
