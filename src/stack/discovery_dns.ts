/**
 * Discovery by DNS, as in production: every address of the name is a server.
 * DNS gives no ports, so each server needs an address of its own: 127.0.0.1,
 * 127.0.0.2, and so on.
 */
import type { Discovery } from "./discovery.ts";
import {
  type Cluster,
  dnsFields,
  GRPC_CLUSTER,
  serverSockets,
} from "./envoy_config.ts";
import { startNameServer } from "./name_server.ts";

/**
 * Starts a name server for the stack.
 *
 * @param port The port of every server.
 * @throws {Failure} `environment` when it cannot listen.
 */
export async function dnsDiscovery(port: number): Promise<Discovery> {
  const nameServer = await startNameServer(GRPC_CLUSTER);
  return {
    placeOf: (number) => ({ host: `127.0.0.${number}`, port }),
    configure: (cluster) => useNameServer(cluster, port, nameServer.port),
    publish: (servers) => {
      nameServer.setAddresses(servers.map(({ host }) => host));
      return Promise.resolve();
    },
    setOutage: (outage) => {
      nameServer.setOutage(outage);
      return Promise.resolve();
    },
    close: () => nameServer.close(),
  };
}

/** Makes a cluster ask this name server, and no other, in place. */
export function useNameServer(
  cluster: Cluster,
  serverPort: number,
  resolverPort: number,
): void {
  const fields = dnsFields(cluster);
  if (fields === undefined) return;
  for (const socket of serverSockets(cluster)) {
    socket["port_value"] = serverPort;
  }
  fields["typed_dns_resolver_config"] = resolver(resolverPort);
}

function resolver(port: number): unknown {
  const type = "envoy.extensions.network.dns_resolver.cares.v3." +
    "CaresDnsResolverConfig";
  return {
    name: "envoy.network.dns_resolver.cares",
    typed_config: {
      "@type": `type.googleapis.com/${type}`,
      resolvers: [
        { socket_address: { address: "127.0.0.1", port_value: port } },
      ],
      dns_resolver_options: { no_default_search_domain: true },
    },
  };
}
