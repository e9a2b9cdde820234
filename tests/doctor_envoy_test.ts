/** Compares what the doctor reads with what Envoy itself reads. */
import assert from "node:assert/strict";
import envoyYaml from "../envoy.yaml" with { type: "text" };
import { examined } from "../src/doctor/_examined.ts";
import { fieldsRead } from "../src/doctor/_reads.ts";
import { messagesIn } from "../src/doctor/message.ts";
import { fieldsOfType } from "../src/doctor/schema.ts";
import { plainMessage } from "../src/doctor/_plain.ts";
import { READINGS, REFUSED } from "../src/doctor/_readings.ts";
import { readConfiguration } from "../src/doctor/configuration.ts";
import { fieldsOf, parseYaml } from "../src/core/yaml.ts";
import { ROOT } from "./programs.ts";
import { Authority } from "../src/stack/authority.ts";
import { schemaFile } from "../tools/envoy_schema.ts";
import { startChild } from "../src/io/child.ts";
import { requestLocal } from "../src/io/local_http.ts";
import { runToEnd } from "../src/io/processes.ts";
import { findTool } from "../src/io/tools.ts";
import { waitUntil } from "../src/io/wait.ts";

const ENVOY = await findTool("envoy");

/** Runs an Envoy with this configuration, in a folder with these files. */
async function withEnvoy<T>(
  yaml: string,
  files: Readonly<Record<string, string>>,
  use: (adminUrl: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "doctor-test-" });
  const lines: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  await Deno.writeTextFile(`${folder}/envoy.yaml`, yaml);
  const envoy = startChild({
    command: ENVOY.path,
    args: [
      ...["-c", `${folder}/envoy.yaml`, "--disable-hot-restart"],
      ...["--admin-address-path", `${folder}/admin`],
      ...["--log-level", "error", "--concurrency", "3"],
    ],
    cwd: folder,
    onLine: (line) => lines.push(line),
  });
  try {
    let url = "";
    const isLive = await waitUntil(async () => {
      assert.ok(envoy.isRunning, lines.slice(0, 3).join("\n").slice(0, 2000));
      const address = await Deno.readTextFile(`${folder}/admin`)
        .catch(() => "");
      if (address === "") return false;
      url = `http://${address}`;
      const { body } = await requestLocal(`${url}/server_info`, ASK);
      return JSON.parse(body).state === "LIVE";
    }, 30_000);
    assert.ok(isLive, lines.join("\n").slice(0, 2000));
    return await use(url);
  } finally {
    envoy.kill("SIGKILL");
    await envoy.exited;
    await Deno.remove(folder, { recursive: true });
  }
}

const ASK = { method: "GET", timeoutMs: 10_000 } as const;

/** The configuration that an Envoy says it has. */
async function dumpOf(
  yaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  return await withEnvoy(
    yaml,
    files,
    async (url) => (await requestLocal(`${url}/config_dump`, ASK)).body,
  );
}

/** Every port and pipe becomes one that is free. */
function onFreePorts(yaml: string): string {
  return yaml.replace(/port_value: \d+/g, "port_value: 0")
    .replace(
      /pipe: \{ path: \S+ \}/,
      "socket_address: { address: 127.0.0.1, port_value: 0 }",
    )
    .replaceAll("address: 0.0.0.0", "address: 127.0.0.1");
}

function bootstrapIn(text: string) {
  const { bootstrap, problems } = readConfiguration(text, "a.yaml");
  assert.deepEqual(problems, []);
  return plainMessage(bootstrap);
}

Deno.test("the doctor reads our envoy.yaml as Envoy does", async () => {
  const yaml = onFreePorts(envoyYaml);
  const { node: _, ...ofEnvoy } = bootstrapIn(await dumpOf(yaml));
  assert.deepEqual(bootstrapIn(yaml), ofEnvoy);
});

Deno.test("the doctor reads every spelling that Envoy accepts as Envoy does", async () => {
  const yaml = [
    "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }",
    "static_resources:",
    "  clusters:",
    ...READINGS.filter(({ reads }) => reads !== REFUSED)
      .flatMap(({ field, value }, index) => [
        `    - name: row-${index}`,
        `      ${field}: ${value}`,
      ]),
    "",
  ].join("\n");
  const { node: _, ...ofEnvoy } = bootstrapIn(await dumpOf(yaml));
  assert.deepEqual(bootstrapIn(yaml), ofEnvoy);
});

Deno.test("Envoy refuses every spelling that the doctor refuses", async () => {
  const folder = await Deno.makeTempDir({ prefix: "doctor-test-" });
  try {
    for (const { field, value, reads } of READINGS) {
      if (reads !== REFUSED) continue;
      const path = `${folder}/envoy.yaml`;
      await Deno.writeTextFile(
        path,
        `static_resources: { clusters: [{ name: a, ${field}: ${value} }] }\n`,
      );
      const { code } = await runToEnd(ENVOY.path, [
        ...["--mode", "validate", "-c", path, "--log-level", "off"],
      ]);
      assert.notEqual(code, 0, `${field}: ${value}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const CASES = new URL("../src/doctor/cases/", import.meta.url);
const caseOf = (name: string) => Deno.readTextFileSync(new URL(name, CASES));

/** Fields that no bootstrap can have that Envoy itself starts with. */
const ONLY_PRESENT = new Set([
  // Envoy has no extension that it could name.
  "envoy.config.route.v3.RouteAction.retry_policy_typed_config",
  "envoy.config.route.v3.VirtualHost.retry_policy_typed_config",
  // It needs routes from RDS and a control plane that speaks delta xDS.
  "envoy.config.route.v3.RouteConfiguration.vhds",
]);

Deno.test("the doctor reads each field of its rules as Envoy does", async () => {
  const yaml = caseOf("every-field.yaml");
  const files = {
    "routes.yaml": caseOf("routes.yaml"),
    "eds.yaml": caseOf("eds.yaml"),
    "secrets.yaml": caseOf("secrets.yaml"),
    ...await clientFiles(),
  };
  const { node: _, ...ofEnvoy } = bootstrapIn(await dumpOf(yaml, files));
  const { node: __, ...ofDoctor } = bootstrapIn(
    // Envoy does not even print where a key is.
    yaml.replace("./client.key", '"[redacted]"'),
  );
  assert.deepEqual(ofDoctor, ofEnvoy);
  const { bootstrap } = readConfiguration(yaml, "a.yaml");
  const there = new Set(
    messagesIn(bootstrap).flatMap((message) =>
      [...message.fields.keys()].map((name) => `${message.type}.${name}`)
    ),
  );
  const read = fieldsRead(() => {
    for (const { name } of Deno.readDirSync(CASES)) {
      if (!name.endsWith(".yaml") || UNREADABLE.has(name)) continue;
      examined(caseOf(name), { envoys: 2, concurrency: 2 });
    }
  });
  const missing = [...read].filter((field) => {
    const [, type = "", name = ""] = /^(.*)\.(\w+)$/.exec(field) ?? [];
    return fieldsOfType(type)?.has(name) && !there.has(field) &&
      !ONLY_PRESENT.has(field);
  });
  assert.deepEqual(missing, []);
});

/** A certificate and its key, by the names that every-field.yaml has. */
async function clientFiles(): Promise<Readonly<Record<string, string>>> {
  const authority = await Authority.create();
  const { certificate, key } = await authority.issue({
    ...{ name: "client", role: "client", lifetimeMs: 600_000 },
  });
  return { "client.crt": certificate, "client.key": key };
}

/** Cases in which nothing can be followed. */
const UNREADABLE = new Set([
  "bomb.yaml",
  "crash-unresolved-alias.yaml",
  "deep.yaml",
  "fn-v2-config.yaml",
  "proto.yaml",
  "recursive.yaml",
]);

/** A case whose discovery reads files beside it, and its admin interface. */
function discovering(name: string): string {
  const config = parseYaml(
    onFreePorts(caseOf(name)).replace(/path: (\w+\.yaml)/, "path: ./$1"),
    name,
  );
  return JSON.stringify({
    ...fieldsOf(config),
    admin: {
      address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    },
  });
}

for (
  const [name, resources, rules] of [
    ["fn-eds-file.yaml", "eds.yaml", ["no-health-check", "shares-of-workers"]],
    ["fn-rds.yaml", "routes.yaml", [
      "no-health-check",
      "streams-cut",
      "no-retries",
      "timeout-unavailable",
      "shares-of-workers",
    ]],
  ] as const
) {
  Deno.test(`doctor --from sees what discovery gave: ${name}`, async () => {
    const files = { [resources]: caseOf(resources) };
    await withEnvoy(discovering(name), files, async (url) => {
      const { code, stdout, stderr } = await runToEnd(
        Deno.execPath(),
        [
          ...["run", "-q", "-P=doctor", "src/lab.ts", "doctor", "--json"],
          ...["--from", url],
        ],
        { cwd: ROOT },
      );
      assert.equal(code, 1, stderr);
      const { findings, unseen } = JSON.parse(stdout);
      const found = findings.map(({ rule }: { rule: string }) => rule);
      assert.deepEqual([...new Set(found)], rules);
      assert.deepEqual(unseen, []);
    });
  });
}

/** A listener that gets its certificate from a file. */
function listenerWith(name: string, source: Record<string, unknown>) {
  return {
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [{
      transport_socket: {
        name: "tls",
        typed_config: {
          "@type":
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          common_tls_context: {
            tls_certificate_sds_secret_configs: [
              { name: "server", sds_config: { path_config_source: source } },
            ],
          },
        },
      },
      filters: [{
        name: "echo",
        typed_config: {
          "@type":
            "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo",
        },
      }],
    }],
  };
}

Deno.test("Envoy reads a secret that a moved link renews only if the folder is watched", async () => {
  const folder = await Deno.makeTempDir({ prefix: "doctor-test-" });
  await using _ = {
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  const authority = await Authority.create();
  const serials: string[] = [];
  for (const version of ["..1", "..2"]) {
    const { certificate, key, serial } = await authority.issue({
      ...{ name: "server", role: "server", lifetimeMs: 600_000 },
    });
    serials.push(serial);
    await Deno.mkdir(`${folder}/${version}`);
    await Deno.writeTextFile(
      `${folder}/${version}/server.json`,
      JSON.stringify({
        resources: [{
          "@type":
            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
          name: "server",
          tls_certificate: {
            certificate_chain: { inline_string: certificate },
            private_key: { inline_string: key },
          },
        }],
      }),
    );
  }
  const [first = "", second = ""] = serials;
  // As Kubernetes lays out the files of a Secret.
  await Deno.symlink("..1", `${folder}/..data`);
  await Deno.symlink("..data/server.json", `${folder}/server.json`);
  const path = `${folder}/server.json`;
  const watched_directory = { path: folder };
  const yaml = JSON.stringify({
    node: { id: "a", cluster: "a" },
    admin: {
      address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    },
    static_resources: {
      listeners: [
        listenerWith("watched", { path, watched_directory }),
        listenerWith("unwatched", { path }),
      ],
    },
  });
  await withEnvoy(yaml, {}, async (url) => {
    const inUse = async () => {
      const { body } = await requestLocal(`${url}/certs`, ASK);
      return serials.filter((serial) => body.includes(serial));
    };
    assert.deepEqual(await inUse(), [first]);
    await Deno.symlink("..2", `${folder}/..new`);
    await Deno.rename(`${folder}/..new`, `${folder}/..data`);
    assert.ok(
      await waitUntil(async () => (await inUse()).includes(second), 10_000),
    );
    assert.deepEqual(await inUse(), [first, second]);
  });
});

Deno.test("the schema is that of the pinned Envoy, byte for byte", async () => {
  assert.equal(
    schemaFile(await Deno.readFile(ENVOY.path), ENVOY.version),
    await Deno.readTextFile("src/doctor/schema.json"),
  );
});
