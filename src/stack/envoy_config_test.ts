import assert from "node:assert/strict";
import {
  type Cluster,
  moveToNative,
  parseEnvoyConfig,
} from "./envoy_config.ts";

const AT = {
  host: "127.0.0.5",
  grpcPort: 15000,
  l4Port: 15001,
  adminPort: 19901,
  serverPort: 18080,
  resolverPort: 5353,
} as const;

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
  const moved = moveToNative(parseEnvoyConfig(), AT);
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
  // Aliases may have been taken apart: both places are found by the name.
  const config = structuredClone(parseEnvoyConfig());
  config.admin = structuredClone(config.admin);
  const moved = moveToNative(config, AT);
  const pipe = { pipe: { path: "@grpc-demo-admin-19901" } };
  assert.deepEqual(moved.admin.address, pipe);
  const [cluster] = moved.static_resources.clusters
    .filter(({ name }) => name === "admin");
  assert.deepEqual(addressesOf(cluster), [pipe]);
});

Deno.test("moveToNative() moves an admin interface that has a port", () => {
  const config = parseEnvoyConfig(yaml(LISTENERS, CLUSTERS));
  assert.deepEqual(moveToNative(config, AT).admin.address, {
    socket_address: { address: "127.0.0.5", port_value: 19901 },
  });
});

function addressesOf(cluster: Cluster | undefined): unknown[] {
  return (cluster?.load_assignment?.endpoints ?? []).flatMap((
    { lb_endpoints },
  ) => lb_endpoints.map(({ endpoint }) => endpoint.address));
}

Deno.test("moveToNative() gives every cluster of servers the servers' port and the stack's resolver", () => {
  const clusters = moveToNative(parseEnvoyConfig(), AT).static_resources
    .clusters.filter(({ type }) => type === "STRICT_DNS");
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

Deno.test("moveToNative() leaves a cluster with fixed addresses alone", () => {
  const config = parseEnvoyConfig();
  const fixed = {
    name: "fixed",
    type: "STATIC",
    load_assignment: {
      endpoints: [{
        lb_endpoints: [{
          endpoint: {
            address: {
              socket_address: { address: "127.0.0.1", port_value: 1 },
            },
          },
        }],
      }],
    },
  };
  config.static_resources.clusters.push(structuredClone(fixed));
  assert.deepEqual(
    moveToNative(config, AT).static_resources.clusters.at(-1),
    fixed,
  );
});

const ADDRESS = "{ socket_address: { address: a, port_value: 1 } }";
const ADMIN = `admin: { address: ${ADDRESS} }`;
const LISTENERS = `[{ name: grpc, address: ${ADDRESS} }, ` +
  `{ name: l4, address: ${ADDRESS} }]`;
const CLUSTERS = "[{ name: grpc-server, type: STRICT_DNS, load_assignment: " +
  `{ endpoints: [{ lb_endpoints: [{ endpoint: { address: ${ADDRESS} } }] }] ` +
  "} }]";

function yaml(listeners: string, clusters: string, admin = ADMIN): string {
  return `static_resources:
  listeners: ${listeners}
  clusters: ${clusters}
${admin}
`;
}

Deno.test("parseEnvoyConfig() takes the least that a stack needs", () => {
  assert.doesNotThrow(() => parseEnvoyConfig(yaml(LISTENERS, CLUSTERS)));
});

for (
  const [why, text, missing] of [
    ["nothing", "", 'listener named "grpc"'],
    ["a word", "word", 'listener named "grpc"'],
    ["a list", "[1, 2]", 'listener named "grpc"'],
    ["no list of listeners", yaml("5", CLUSTERS), 'listener named "grpc"'],
    ["an empty listener", yaml("[null]", CLUSTERS), 'listener named "grpc"'],
    [
      "one listener",
      yaml(`[{ name: grpc, address: ${ADDRESS} }]`, CLUSTERS),
      'listener named "l4"',
    ],
    [
      "a listener without an address",
      yaml(LISTENERS.replace(ADDRESS, "{ socket_address: null }"), CLUSTERS),
      'address of "grpc"',
    ],
    ["no cluster", yaml(LISTENERS, "[]"), 'cluster named "grpc-server"'],
    [
      "empty clusters",
      yaml(LISTENERS, "[null]"),
      'cluster named "grpc-server"',
    ],
    [
      "a cluster without an endpoint",
      yaml(LISTENERS, "[{ name: grpc-server, type: STRICT_DNS }]"),
      'endpoint address in cluster "grpc-server"',
    ],
    [
      "an endpoint without an address",
      yaml(LISTENERS, CLUSTERS.replace(ADDRESS, "{}")),
      'endpoint address in cluster "grpc-server"',
    ],
    ["no admin page", yaml(LISTENERS, CLUSTERS, ""), "admin address"],
    [
      "an admin interface that no listener leads to",
      yaml(LISTENERS, CLUSTERS, 'admin: { address: { pipe: { path: "@a" } } }'),
      'listener named "admin"',
    ],
  ] as const
) {
  Deno.test(`parseEnvoyConfig() refuses ${why} with one sentence`, () => {
    assert.throws(() => parseEnvoyConfig(text, "my.yaml"), {
      name: "Failure",
      kind: "environment",
      message: `Cannot use my.yaml: it has no ${missing}; compare it with ` +
        "envoy.yaml in the repository",
    });
  });
}

for (
  const [why, text, message] of [
    [
      "a mapping inside a mapping",
      "a: b: c",
      "Cannot parse my.yaml: Nested mappings are not allowed in compact " +
      "mappings at line 1, column 4; correct it there",
    ],
    [
      "a field that is given twice",
      "a: 1\na: 2",
      "Cannot parse my.yaml: Map keys must be unique at line 2, column 1; " +
      "correct it there",
    ],
    [
      "an alias without its anchor",
      "a: *b",
      "Cannot parse my.yaml: Unresolved alias (the anchor must be set " +
      "before the alias): b; correct it there",
    ],
  ] as const
) {
  Deno.test(`parseEnvoyConfig() refuses ${why} with one sentence`, () => {
    assert.throws(() => parseEnvoyConfig(text, "my.yaml"), {
      name: "Failure",
      kind: "environment",
      message,
    });
  });
}
