// Shares: thresholds need their names before the run, and the servers' names
// are known only after set-up. So each server gets a slot.
import { Gauge, Rate } from "k6/metrics";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { L7_CALLS_PER_SERVER } from "./discovery.ts";
import { deviation } from "../../src/core/shares.ts";

/** The metric of a slot, counted from 0. */
export function slotMetric(slot: number): string {
  return `share_slot_${slot + 1}`;
}

/** Conditions by metric, as k6 takes them. */
export type Thresholds = Record<string, string[]>;

/** Slots for as many servers as there should be. */
export class Slots {
  readonly #settings: LoadSettings;
  readonly #isPinned: boolean;
  readonly #rates: readonly Rate[];
  /** Replies of servers that have no slot. */
  readonly #other = new Rate("share_other");
  readonly #found = new Gauge("servers_found");
  /** Replies of another server than the connection's first. */
  readonly #moved = new Rate("connections_moved");
  readonly #l7Deviation = new Gauge("l7_deviation");
  /** The server that this VU's connection leads to. */
  #own = "";

  /** @param isPinned Whether connections are balanced, and not calls. */
  constructor(settings: LoadSettings, isPinned: boolean) {
    this.#settings = settings;
    this.#isPinned = isPinned;
    this.#rates = Array.from(
      { length: settings.servers },
      (_, slot) => new Rate(slotMetric(slot)),
    );
  }

  /**
   * There are as many servers as there should be. Where calls are balanced,
   * every share is even; where connections are, each stays with its server,
   * while calls on the L7 listener beside it are spread evenly.
   */
  thresholds(): Thresholds {
    return {
      ...(this.#isPinned ? this.#pinThresholds() : this.#shareThresholds()),
      share_other: ["rate==0"],
      servers_found: [`value==${this.#settings.servers}`],
    };
  }

  #shareThresholds(): Thresholds {
    const { servers, tolerance } = this.#settings;
    const min = (1 - tolerance) / servers;
    const max = Math.min(1, (1 + tolerance) / servers);
    return Object.fromEntries(
      this.#rates.map((_, slot) => [
        slotMetric(slot),
        [`rate>=${min.toFixed(6)}`, `rate<=${max.toFixed(6)}`],
      ]),
    );
  }

  #pinThresholds(): Thresholds {
    // A single call is the least that shares can differ by.
    const max = Math.max(this.#settings.tolerance, 1 / L7_CALLS_PER_SERVER);
    return {
      connections_moved: ["rate==0"],
      l7_deviation: [`value<=${max}`],
    };
  }

  /** Notes, in set-up, what was found. */
  noteFound(
    names: readonly string[],
    l7Calls: Readonly<Record<string, number>> | null,
  ): void {
    this.#found.add(names.length);
    if (l7Calls === null) return;
    const calls = new Map(Object.entries(l7Calls));
    this.#l7Deviation.add(deviation(calls, this.#settings.servers));
  }

  /** Counts a reply of a server, whose place among `names` is its slot. */
  count(server: string, names: readonly string[]): void {
    const slotOfServer = names.indexOf(server);
    this.#rates.forEach((rate, slot) => rate.add(slot === slotOfServer));
    this.#other.add(slotOfServer < 0 || slotOfServer >= this.#rates.length);
    this.#own ||= server;
    this.#moved.add(server !== this.#own);
  }
}
