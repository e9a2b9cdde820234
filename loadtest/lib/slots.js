// Shares: thresholds need their names before the run, and the servers' names
// are known only after set-up. So each server gets a slot.
import { Gauge, Rate } from "k6/metrics";

/** The metric of a slot, counted from 0. */
export function slotMetric(slot) {
  return `share_slot_${slot + 1}`;
}

/** Slots for as many servers as there should be. */
export class Slots {
  constructor({ servers, tolerance }) {
    this.tolerance = tolerance;
    this.rates = Array.from(
      { length: servers },
      (_, slot) => new Rate(slotMetric(slot)),
    );
    /** Replies of servers that have no slot. */
    this.other = new Rate("share_other");
    this.found = new Gauge("servers_found");
  }

  /** Every share is even, and there are as many servers as there should be. */
  thresholds() {
    const count = this.rates.length;
    const min = (1 - this.tolerance) / count;
    const max = Math.min(1, (1 + this.tolerance) / count);
    const shares = this.rates.map((_, slot) => [
      slotMetric(slot),
      [`rate>=${min.toFixed(6)}`, `rate<=${max.toFixed(6)}`],
    ]);
    return {
      ...Object.fromEntries(shares),
      share_other: ["rate==0"],
      servers_found: [`value==${count}`],
    };
  }

  /** Notes, in set-up, how many servers were found. */
  noteFound(count) {
    this.found.add(count);
  }

  /** Counts a reply of a server, whose place among `names` is its slot. */
  count(server, names) {
    const own = names.indexOf(server);
    this.rates.forEach((rate, slot) => rate.add(slot === own));
    this.other.add(own < 0 || own >= this.rates.length);
  }
}
