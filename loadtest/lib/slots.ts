// Thresholds need their names before the run, but servers' names are known only
// after set-up. So each server gets a slot.
import { Gauge, Rate } from "k6/metrics";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { L7_CALLS_PER_SERVER } from "./discovery.ts";
import { deviation } from "../../src/core/shares.ts";

/** The metric of a slot, from 0 on. */
export function slotMetric(slot: number): string {
  return `share_slot_${slot + 1}`;
}

/** Conditions by metric, in k6's form. */
export type Thresholds = Record<string, string[]>;

/** Slots for the expected number of servers. */
export class Slots {
  readonly #settings: LoadSettings;
  readonly #isPinned: boolean;
  readonly #rates: readonly Rate[];
  /** Replies of servers without a slot. */
  readonly #other = new Rate("share_other");
  readonly #found = new Gauge("servers_found");
  /** Replies of a server other than the connection's first. */
  readonly #moved = new Rate("connections_moved");
  readonly #l7Deviation = new Gauge("l7_deviation");
  /** The server at the end of this VU's connection. */
  #own = "";

  /** @param isPinned Whether connections are balanced instead of calls. */
  constructor(settings: LoadSettings, isPinned: boolean) {
    this.#settings = settings;
    this.#isPinned = isPinned;
    this.#rates = Array.from(
      { length: settings.servers },
      (_, slot) => new Rate(slotMetric(slot)),
    );
  }

  /**
   * The expected number of servers is found. If calls are balanced, every share
   * is even; if connections are, each stays with its server, while calls on the
   * L7 listener are spread evenly.
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
    // Shares differ by at least a single call.
    const max = Math.max(this.#settings.tolerance, 1 / L7_CALLS_PER_SERVER);
    return {
      connections_moved: ["rate==0"],
      l7_deviation: [`value<=${max}`],
    };
  }

  /** Records in set-up what was found. */
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
