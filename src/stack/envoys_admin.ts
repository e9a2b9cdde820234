/** The admin interfaces of several Envoys, as if they were one. */
import { Failure } from "../core/errors.ts";
import type { AdminInterface, Stats, UpstreamHost } from "./envoy_admin.ts";

/** Of these the Envoys' values are no parts of a whole: the smallest counts. */
const SMALLEST = /\.membership_healthy$|^server\.live$/;

/** The same, where the largest counts. */
const LARGEST =
  /\.membership_total$|_open$|\.ejections_active$|\.listener_stopped$/;

/**
 * Sums up what several Envoys say. What one of them considers unhealthy counts
 * as unhealthy.
 */
export class EnvoysAdmin implements AdminInterface {
  readonly #each: () => readonly AdminInterface[];

  /** @param each Those that are there at the moment. */
  constructor(each: () => readonly AdminInterface[]) {
    this.#each = each;
  }

  /** The first one's. */
  get url(): string {
    return this.#each()[0]?.url ?? "";
  }

  async state(): Promise<string> {
    const states = await Promise.all(this.#each().map((one) => one.state()));
    return states.find((state) => state !== "LIVE") ??
      (states.length === 0 ? "there is no Envoy" : "LIVE");
  }

  async isReady(): Promise<boolean> {
    return await this.state() === "LIVE";
  }

  async hosts(cluster: string): Promise<readonly UpstreamHost[]> {
    return mergedHosts(
      await Promise.all(this.#some().map((one) => one.hosts(cluster))),
    );
  }

  async stats(filter: string): Promise<Stats> {
    return mergedStats(
      await Promise.all(this.#some().map((one) => one.stats(filter))),
    );
  }

  async post(path: string): Promise<void> {
    await Promise.all(this.#some().map((one) => one.post(path)));
  }

  #some(): readonly AdminInterface[] {
    const each = this.#each();
    if (each.length > 0) return each;
    throw new Failure(
      "environment",
      "There is no Envoy whose admin interface could be asked; wait until one is Ready",
    );
  }
}

/** Sums counters and gauges, but those that are no parts of a whole. */
export function mergedStats(each: readonly Stats[]): Stats {
  const merged = new Map<string, number>();
  for (const [name, value] of each.flatMap((stats) => [...stats])) {
    const before = merged.get(name);
    merged.set(
      name,
      before === undefined
        ? value
        : SMALLEST.test(name)
        ? Math.min(before, value)
        : LARGEST.test(name)
        ? Math.max(before, value)
        : before + value,
    );
  }
  return merged;
}

/** One entry for each host; healthy if every Envoy knows it and says so. */
export function mergedHosts(
  each: readonly (readonly UpstreamHost[])[],
): readonly UpstreamHost[] {
  const addresses = new Set(each.flat().map(({ address }) => address));
  return [...addresses].map((address) => {
    const views = each.flatMap((hosts) =>
      hosts.filter((host) => host.address === address)
    );
    const flags = new Set(views.flatMap((host) => host.flags));
    if (views.length < each.length) flags.add("unknown_to_some");
    const stats = mergedStats(views.map((host) => host.stats));
    return {
      address,
      isHealthy: flags.size === 0,
      isEjected: views.some(({ isEjected }) => isEjected),
      flags: [...flags],
      stats,
    };
  });
}
