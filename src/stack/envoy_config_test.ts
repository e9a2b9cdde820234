import assert from "node:assert/strict";
import { at, listOf } from "../core/yaml.ts";
import {
  type Cluster,
  moveToNative,
  parseEnvoyConfig,
} from "./envoy_config.ts";
import { useNameServer } from "./discovery_dns.ts";

const AT = {
  host: "127.0.0.5",
  grpcPort: 15000,
  l4Port: 15001,
  adminPort: 19901,
} as const;

const useDns = (cluster: Cluster) => useNameServer(cluster, 18080, 5353);

/** Everything in a value that is no object, by its path. */
function leaves(value: unknown, path = ""): readonly (readonly [
  string,
  unknown,
])[] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, `${path}/${key}`)
  );
}

Deno.test("moveToNative() moves addresses and the resolver, nothing else", () => {
  const before = new Map(leaves(parseEnvoyConfig()));
  const moved = moveToNative(parseEnvoyConfig(), AT, useDns);
  const after = new Map(leaves(moved));

  const changed = [...after].filter(([path, value]) =>
    before.get(path) !== value
  );
  const gone = [...before.keys()].filter((path) => !after.has(path));
  const other = changed.filter(([path]) =>
    !/\/socket_address\/(address|port_value)$/.test(path) &&
    !/\/address\/pipe\/path$/.test(path) &&
    !path.includes("/typed_dns_resolver_config/")
  );
  assert.deepEqual(gone, []);
  assert.deepEqual(other, []);

  assert.deepEqual(
    moved.static_resources.listeners.map((
      { name, address },
    ) => [name, address.socket_address]),
    [
      ["grpc", { address: "127.0.0.5", port_value: 15000 }],
      ["l4", { address: "127.0.0.5", port_value: 15001 }],
      ["admin", { address: "127.0.0.5", port_value: 19901 }],
    ],
  );
});

Deno.test("moveToNative() gives each stack's admin interface a name of its own", () => {
  const moved = moveToNative(parseEnvoyConfig(), AT, useDns);
  const pipe = { pipe: { path: "@grpc-demo-admin-19901" } };
  assert.deepEqual(moved.admin.address, pipe);
  const [cluster] = moved.static_resources.clusters
    .filter(({ name }) => name === "admin");
  assert.deepEqual(addressesOf(cluster), [pipe]);
});

Deno.test("moveToNative() moves an admin interface that has a port", () => {
  const config = parseEnvoyConfig(yaml(LISTENERS, CLUSTERS));
  assert.deepEqual(moveToNative(config, AT, useDns).admin.address, {
    socket_address: { address: "127.0.0.5", port_value: 19901 },
  });
});

function addressesOf(cluster: Cluster | undefined): readonly unknown[] {
  return listOf(at(cluster, "load_assignment", "endpoints"))
    .flatMap((group) => listOf(group["lb_endpoints"]))
    .map((one) => at(one, "endpoint", "address"));
}

Deno.test("moveToNative() gives every cluster of servers the servers' port and the stack's resolver", () => {
  const clusters = moveToNative(parseEnvoyConfig(), AT, useDns).static_resources
    .clusters.filter((cluster) => cluster["type"] === "STRICT_DNS");
  assert.equal(clusters.length, 2);
  for (const cluster of clusters) {
    assert.deepEqual(
      addressesOf(cluster),
      [{ socket_address: { address: "grpc-server", port_value: 18080 } }],
      cluster.name,
    );
    const resolver = cluster["typed_dns_resolver_config"] as {
      typed_config: { resolvers: unknown };
    };
    assert.deepEqual(resolver.typed_config.resolvers, [
      { socket_address: { address: "127.0.0.1", port_value: 5353 } },
    ]);
  }
});

Deno.test("moveToNative() gives the extension for DNS the stack's resolver", () => {
  const text = yaml(LISTENERS, CLUSTERS.replace("type: STRICT_DNS", DNS_TYPE));
  const [cluster] = moveToNative(parseEnvoyConfig(text), AT, useDns)
    .static_resources.clusters;
  assert.deepEqual(addressesOf(cluster), [
    { socket_address: { address: "grpc-server", port_value: 18080 } },
  ]);
  const path = ["typed_dns_resolver_config", "typed_config", "resolvers"];
  assert.deepEqual(at(cluster, "cluster_type", "typed_config", ...path), [
    { socket_address: { address: "127.0.0.1", port_value: 5353 } },
  ]);
  assert.equal(at(cluster, ...path), undefined);
});

for (
  const [what, type, address] of [
    ["with fixed addresses", "STATIC", "127.0.0.1"],
    ["of other programs", "STRICT_DNS", "jaeger"],
    ["of one other program", "LOGICAL_DNS", "jaeger"],
  ] as const
) {
  Deno.test(`moveToNative() leaves a cluster ${what} alone`, () => {
    const text = CLUSTERS.replace("STRICT_DNS", type)
      .replaceAll("grpc-server", "other").replace(
        "address: other",
        `address: ${address}`,
      );
    const clusters = `${CLUSTERS.slice(0, -1)}, ${text.slice(1)}`;
    const [before, after] = [yaml(LISTENERS, clusters)].flatMap((both) => [
      parseEnvoyConfig(both),
      moveToNative(parseEnvoyConfig(both), AT, useDns),
    ]).map(({ static_resources }) => static_resources.clusters.at(-1));
    assert.equal(before?.name, "other");
    assert.deepEqual(after, before);
  });
}

const ADDRESS = "{ socket_address: { address: grpc-server, port_value: 1 } }";
const ADMIN = `admin: { address: ${ADDRESS} }`;
const GRPC = `{ name: grpc, address: ${ADDRESS} }`;
const L4 = `{ name: l4, address: ${ADDRESS} }`;
const LISTENERS = `[${GRPC}, ${L4}]`;
const CLUSTER = "{ name: grpc-server, type: STRICT_DNS, load_assignment: " +
  `{ endpoints: [{ lb_endpoints: [{ endpoint: { address: ${ADDRESS} } }] }] } }`;
const CLUSTERS = `[${CLUSTER}]`;
const DNS_TYPE = "cluster_type: { name: envoy.clusters.dns, typed_config: " +
  "{ '@type': type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster } }";

function yaml(listeners: string, clusters: string, admin = ADMIN): string {
  return `static_resources:
  listeners: ${listeners}
  clusters: ${clusters}
${admin}
`;
}

Deno.test("moveToNative() writes down the servers of a cluster that never asks", () => {
  const socket = (address: string, port_value: number) => ({
    endpoint: { address: { socket_address: { address, port_value } } },
  });
  const config = parseEnvoyConfig(
    yaml(LISTENERS, CLUSTERS).replace("STRICT_DNS", "STATIC"),
  );
  const [cluster] = config.static_resources.clusters;
  (cluster as Cluster)["load_assignment"] = {
    endpoints: [{
      load_balancing_weight: 1,
      lb_endpoints: [socket("grpc-server", 8080)],
    }],
  };
  const serverPlaces = [1, 2].map((port) => ({ host: "127.0.0.9", port }));
  const moved = moveToNative(config, { ...AT, serverPlaces }, useDns);
  assert.deepEqual(at(moved.static_resources.clusters, 0, "load_assignment"), {
    cluster_name: "grpc-server",
    endpoints: [{
      load_balancing_weight: 1,
      lb_endpoints: [socket("127.0.0.9", 1), socket("127.0.0.9", 2)],
    }],
  });
});

Deno.test("parseEnvoyConfig() takes the least that a stack needs", () => {
  assert.doesNotThrow(() => parseEnvoyConfig(yaml(LISTENERS, CLUSTERS)));
});

const ONE_ADDRESS = 'its cluster "grpc-server" has one address at a time, so ' +
  "that calls are not balanced: it must be STRICT_DNS, not LOGICAL_DNS";

for (
  const [why, text, problem] of [
    ["null", "~", 'it has no listener named "grpc"'],
    ["a word", "word", 'it has no listener named "grpc"'],
    ["a list", "[1, 2]", 'it has no listener named "grpc"'],
    [
      "no list of listeners",
      yaml("5", CLUSTERS),
      'it has no listener named "grpc"',
    ],
    [
      "an empty listener",
      yaml("[null]", CLUSTERS),
      'it has no listener named "grpc"',
    ],
    [
      "one listener",
      yaml(`[${GRPC}]`, CLUSTERS),
      'it has no listener named "l4"',
    ],
    [
      "a listener that is there twice",
      yaml(`[${GRPC}, ${L4}, ${GRPC}]`, CLUSTERS),
      'it has 2 listeners named "grpc"',
    ],
    [
      "a listener without an address",
      yaml(LISTENERS.replace(ADDRESS, "{ socket_address: null }"), CLUSTERS),
      'it has no address of "grpc"',
    ],
    [
      "no cluster",
      yaml(LISTENERS, "[]"),
      'it has no cluster named "grpc-server"',
    ],
    [
      "empty clusters",
      yaml(LISTENERS, "[null]"),
      'it has no cluster named "grpc-server"',
    ],
    [
      "a cluster that has another name",
      yaml(LISTENERS, CLUSTERS.replace("name: grpc-server", "name: servers")),
      'it has no cluster named "grpc-server"',
    ],
    [
      "a cluster that is there twice",
      yaml(LISTENERS, `[${CLUSTER}, ${CLUSTER}]`),
      'it has 2 clusters named "grpc-server"',
    ],
    [
      "a cluster without an endpoint",
      yaml(LISTENERS, "[{ name: grpc-server, type: STRICT_DNS }]"),
      'its cluster "grpc-server" has no endpoint',
    ],
    [
      "an endpoint without an address",
      yaml(LISTENERS, CLUSTERS.replace(ADDRESS, "{}")),
      'its cluster "grpc-server" has an endpoint without an address',
    ],
    [
      "another name in DNS",
      yaml(
        LISTENERS,
        CLUSTERS.replace("address: grpc-server", "address: greeter"),
      ),
      'its cluster "grpc-server" asks DNS for "greeter", where servers have the name "grpc-server"',
    ],
    [
      "a cluster of LOGICAL_DNS",
      yaml(LISTENERS, CLUSTERS.replace("STRICT_DNS", "LOGICAL_DNS")),
      ONE_ADDRESS,
    ],
    [
      "the extension for DNS, asked for one address",
      yaml(
        LISTENERS,
        CLUSTERS.replace("type: STRICT_DNS", DNS_TYPE)
          .replace(
            "DnsCluster",
            "DnsCluster, all_addresses_in_single_endpoint: true",
          ),
      ),
      ONE_ADDRESS,
    ],
    [
      "another cluster of the servers that is LOGICAL_DNS",
      yaml(
        LISTENERS,
        `[${CLUSTER}, ${
          CLUSTER.replace("STRICT_DNS", "LOGICAL_DNS").replace(
            "name: grpc-server",
            'name: "l4\\e"',
          )
        }]`,
      ),
      ONE_ADDRESS.replace("grpc-server", "l4\\u001b"),
    ],
    ["no admin page", yaml(LISTENERS, CLUSTERS, ""), "it has no admin address"],
    [
      "an admin interface that no listener leads to",
      yaml(LISTENERS, CLUSTERS, 'admin: { address: { pipe: { path: "@a" } } }'),
      'it has no listener named "admin"',
    ],
  ] as const
) {
  Deno.test(`parseEnvoyConfig() refuses ${why} with one sentence`, () => {
    assert.throws(() => parseEnvoyConfig(text, "my.yaml"), {
      name: "Failure",
      kind: "environment",
      message:
        `Cannot use my.yaml: ${problem}; compare it with envoy.yaml in ` +
        "the repository",
    });
  });
}
