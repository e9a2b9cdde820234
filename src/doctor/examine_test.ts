import assert from "node:assert/strict";
import process from "node:process";
import envoyYaml from "../../envoy.yaml" with { type: "text" };
import { CATALOGUE } from "../../experiments/catalogue.ts";
import { changedConfig } from "../experiment/changes.ts";
import { controlPlan, controlsOf } from "../experiment/conduct.ts";
import { addTls } from "../stack/envoy_tls.ts";
import { parseYaml, partAt } from "../core/yaml.ts";
import { examined, found } from "./_examined.ts";
import { largeConfig } from "./_large.ts";
import { DOCTOR_RULES } from "./examine.ts";
import { fieldsOfType } from "./schema.ts";

const CASES = new URL("./cases/", import.meta.url);
const textOf = (name: string) => Deno.readTextFileSync(new URL(name, CASES));

const expected = textOf("expected.tsv").trim().split("\n")
  .filter((line) => !line.startsWith("#"))
  .map((line) => line.split("\t"));

for (const [name = "", rules = ""] of expected) {
  Deno.test(`examine() is right about ${name}`, () => {
    const files = {
      "eds.yaml": textOf("eds.yaml"),
      "routes.yaml": textOf("routes.yaml"),
    };
    if (rules.startsWith('"')) {
      assert.throws(
        () => examined(textOf(name), {}, files),
        (error) =>
          error instanceof Error && error.name === "Failure" &&
          error.message.includes(rules.slice(1, -1)),
      );
      return;
    }
    const { diagnoses, unseen } = examined(textOf(name), {}, files);
    assert.deepEqual(
      diagnoses.map(({ rule }) => rule.id),
      rules === "" ? [] : rules.split(" "),
    );
    assert.deepEqual(unseen, []);
  });
}

Deno.test("every case has a row", () => {
  const names = [...Deno.readDirSync(CASES)].map(({ name }) => name)
    .filter((name) =>
      ![
        "expected.tsv",
        "eds.yaml",
        "every-field.yaml",
        "routes.yaml",
        "secrets.yaml",
      ]
        .includes(name)
    );
  assert.deepEqual(expected.map(([name]) => name).sort(), names.sort());
});

Deno.test("examine() finds nothing in our own envoy.yaml", () => {
  assert.deepEqual(found(envoyYaml), []);
});

/** The same configuration with the extension that DNS has moved to. */
function withDnsCluster(config: unknown): void {
  const clusters = partAt(config, "static_resources", "clusters");
  for (const cluster of Object.values(clusters).map((one) => partAt(one))) {
    if (cluster["type"] !== "STRICT_DNS") continue;
    const moved = [
      "dns_refresh_rate",
      "dns_lookup_family",
      "dns_failure_refresh_rate",
    ];
    const settings = Object.fromEntries(
      moved.map((key) => [key, cluster[key]]),
    );
    for (const key of [...moved, "type"]) delete cluster[key];
    cluster["cluster_type"] = {
      name: "envoy.clusters.dns",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
        ...settings,
      },
    };
  }
}

/** Keys whose own keys are data, not fields. */
const DATA = new Set([
  "static_layer",
  "typed_extension_protocol_options",
  "policies",
]);

/** A mapping respelt: keys in another order, and in camel case if asked. */
function respelt(
  value: unknown,
  isCamel: boolean,
  random: () => number,
): unknown {
  const spelt = (value: unknown, isData: boolean): unknown => {
    if (Array.isArray(value)) return value.map((one) => spelt(one, false));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) =>
      [
        isCamel && !isData && !key.startsWith("@")
          ? key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
          : key,
        spelt(inner, DATA.has(key)),
        random(),
      ] as const
    );
    // Envoy prints extensions with their type first, but reads it anywhere.
    return Object.fromEntries(
      entries.sort((a, b) => a[2] - b[2]).map(([key, inner]) => [key, inner]),
    );
  };
  return spelt(value, false);
}

/** A block of YAML, which JSON's printer does not write. */
function yamlOf(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return isList ? "[]" : "{}";
  return entries.map(([key, inner]) =>
    `\n${indent}${isList ? "-" : `${JSON.stringify(key)}:`} ${
      yamlOf(inner, `${indent}  `)
    }`
  ).join("");
}

Deno.test("examine() finds nothing in our envoy.yaml, however it is spelt", () => {
  let state = 1;
  const random = () => (state = state * 48271 % 2147483647) / 2147483647;
  for (const isMoved of [false, true]) {
    const config = parseYaml(envoyYaml, "envoy.yaml");
    if (isMoved) withDnsCluster(config);
    for (const isCamel of [false, true]) {
      for (const print of [JSON.stringify, yamlOf]) {
        for (let round = 0; round < 5; round++) {
          const text = print(respelt(config, isCamel, random));
          const { diagnoses, unseen } = examined(text);
          assert.deepEqual({ diagnoses, unseen }, {
            diagnoses: [],
            unseen: [],
          });
        }
      }
    }
  }
});

/** Rules whose experiment shows them otherwise than by a change of envoy.yaml. */
const SHOWN_OTHERWISE: Readonly<Record<string, string>> = {
  "tcp-proxy": "the control calls the listener l4",
  "one-address": "the address is a Service's, whose manifest the doctor reads",
  "route-without-policy": "the doctor reads a manifest, not envoy.yaml",
  "removed-hosts-stay": "it asks for a choice, and both are shown",
};

for (const { id, experiment } of DOCTOR_RULES) {
  if (typeof experiment === "object") continue;
  Deno.test(`the experiment of the rule "${id}" has a control that it finds`, () => {
    const named = CATALOGUE.find(({ name }) => name === experiment);
    assert.ok(named, `there is no experiment "${experiment}"`);
    if (Object.hasOwn(SHOWN_OTHERWISE, id)) return;
    const controls = controlsOf(named).map((control) => {
      const { setup } = controlPlan(named, control);
      const config = changedConfig(setup.changes ?? []);
      if (setup.tls !== undefined) addTls(config, "/certs", setup.tls);
      return found(JSON.stringify(config), {
        concurrency: setup.concurrency,
        envoys: 2,
      });
    });
    assert.ok(controls.some((ids) => ids.includes(id)), controls.join("; "));
  });
}

Deno.test("every finding has a line and a column", () => {
  const { diagnoses } = examined(textOf("fn-retry-empty.yaml"));
  const place = diagnoses[0]?.findings[0]?.place;
  assert.ok(place);
  assert.deepEqual(place.source.positionOf(place.offset), {
    line: 35,
    column: 31,
  });
  assert.match(place.path, /routes\[0\]\.route\.retry_policy\.retry_on$/);
});

Deno.test("the schema has extensions, and nothing of an object", () => {
  assert.ok(fieldsOfType("envoy.extensions.clusters.dns.v3.DnsCluster"));
  assert.equal(fieldsOfType("envoy.config.cluster.v3.Clusters"), undefined);
  assert.equal(fieldsOfType("__proto__"), undefined);
});

Deno.test("examine() needs less than 2 s of processor time for 1 MB", () => {
  const big = largeConfig(1_000_000);
  const before = process.cpuUsage();
  assert.deepEqual(found(big), []);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2_000_000, `${user} + ${system} µs`);
});
