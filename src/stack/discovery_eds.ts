/**
 * Discovery by a file of endpoints (EDS). It gives Envoy ports, too, so all
 * servers can share the address 127.0.0.1, the only loopback address of macOS
 * and Windows.
 */
import { join } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import type { Discovery, Outage, Place } from "./discovery.ts";
import { type Cluster, GRPC_CLUSTER } from "./envoy_config.ts";
import { ownFolder } from "./own_folder.ts";

/** The only address. */
const HOST = "127.0.0.1";

const FILE = "endpoints.json";

/**
 * Prepares an empty file in a folder of its own, and removes those of programs
 * that were killed.
 *
 * @param firstPort The first server's port; the others follow.
 * @param parent Default: the project's `.tools/run`.
 * @throws {Failure} `environment` when it cannot be written.
 */
export async function edsDiscovery(
  firstPort: number,
  parent?: string,
): Promise<Discovery> {
  const folder = await ownFolder("discovery", parent);
  const discovery = new EdsDiscovery(folder, firstPort);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await discovery.publish([]);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write the file of endpoints in "${folder}": ${
        messageOf(error)
      }; make it writable, or leave out --discovery eds`,
      { cause: error },
    );
  }
  return discovery;
}

class EdsDiscovery implements Discovery {
  readonly #folder: string;
  readonly #path: string;
  readonly #firstPort: number;
  #servers: readonly Place[] = [];
  #outage: Outage | undefined;
  #version = 0;
  /** One write at a time: the last one holds. */
  #written: Promise<void> = Promise.resolve();

  constructor(folder: string, firstPort: number) {
    this.#folder = folder;
    this.#path = join(folder, FILE);
    this.#firstPort = firstPort;
  }

  placeOf(number: number): Place {
    return { host: HOST, port: this.#firstPort + number - 1 };
  }

  configure(cluster: Cluster): void {
    for (const field of Object.keys(cluster)) {
      if (field.includes("dns_")) delete cluster[field];
    }
    delete cluster["cluster_type"];
    delete cluster["load_assignment"];
    cluster["type"] = "EDS";
    cluster["eds_cluster_config"] = {
      service_name: GRPC_CLUSTER,
      eds_config: {
        resource_api_version: "V3",
        // Envoy reads the file when another is renamed onto it, never half of
        // one that is being written.
        path_config_source: {
          path: this.#path,
          watched_directory: { path: this.#folder },
        },
      },
    };
  }

  publish(servers: readonly Place[]): Promise<void> {
    this.#servers = servers.map(({ host, port }) => ({ host, port }));
    return this.#write();
  }

  setOutage(outage: Outage | undefined): Promise<void> {
    if (outage === "silent" || outage === "slow") {
      return Promise.reject(new RangeError(`A file cannot be ${outage}`));
    }
    this.#outage = outage;
    return this.#write();
  }

  async close(): Promise<void> {
    await this.#written.catch(() => {});
    await Deno.remove(this.#folder, { recursive: true });
  }

  #write(): Promise<void> {
    const writing = this.#written.catch(() => {}).then(async () => {
      if (this.#outage === "missing") {
        // Servers may join or leave meanwhile, which the end then publishes.
        return await Deno.remove(this.#path).catch(ignoreMissing);
      }
      this.#version += 1;
      const servers = this.#outage === "empty" ? [] : this.#servers;
      const text = this.#outage === "failing"
        ? "{"
        : JSON.stringify(response(servers, String(this.#version)));
      await Deno.writeTextFile(`${this.#path}.new`, text);
      await Deno.rename(`${this.#path}.new`, this.#path);
    });
    this.#written = writing;
    return writing;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** The endpoints as Envoy reads them; a pure function. */
export function response(
  servers: readonly Place[],
  version: string,
): Record<string, unknown> {
  return {
    version_info: version,
    resources: [{
      "@type":
        "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
      cluster_name: GRPC_CLUSTER,
      endpoints: [{
        lb_endpoints: servers.map(({ host, port }) => ({
          endpoint: {
            address: { socket_address: { address: host, port_value: port } },
          },
        })),
      }],
    }],
  };
}
