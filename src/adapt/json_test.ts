import assert from "node:assert/strict";
import { parseYaml } from "../core/yaml.ts";
import { plainMessage } from "../doctor/_plain.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { ENVOY_YAML } from "../stack/envoy_config.ts";
import { jsonOf } from "./json.ts";

function json(text: string): unknown {
  return jsonOf(readConfiguration(text, "a.yaml").bootstrap);
}

for (const name of ["every-field", "fp-camel", "fn-lower-case-type"]) {
  Deno.test(`jsonOf() loses nothing of ${name}.yaml`, () => {
    const text = Deno.readTextFileSync(`src/doctor/cases/${name}.yaml`);
    const read = (of: string) =>
      plainMessage(readConfiguration(of, "a.yaml").bootstrap);
    assert.deepEqual(read(JSON.stringify(json(text))), read(text));
  });
}

Deno.test("jsonOf() gives envoy.yaml back", () => {
  assert.deepEqual(json(ENVOY_YAML), parseYaml(ENVOY_YAML, "envoy.yaml"));
});

Deno.test("jsonOf() writes every spelling as Envoy's API does", () => {
  const cluster = (fields: string) =>
    json(`staticResources: { clusters: [{ ${fields} }] }`);
  const rows: readonly (readonly [string, unknown])[] = [
    ["connectTimeout: 0.25s", { connect_timeout: "0.25s" }],
    ["connectTimeout: 100s", { connect_timeout: "100s" }],
    ["connectTimeout: { seconds: 1, nanos: 5 }", {
      connect_timeout: "1.000000005s",
    }],
    ["lbPolicy: 1", { lb_policy: "LEAST_REQUEST" }],
    ["type: strict_dns", { type: "STRICT_DNS" }],
    ['circuitBreakers: { thresholds: { maxRequests: "7" } }', {
      circuit_breakers: { thresholds: [{ max_requests: 7 }] },
    }],
    ["ignoreHealthOnHostRemoval: 'true'", {
      ignore_health_on_host_removal: true,
    }],
    ["lbPolicy: null", {}],
    [
      'clusterType: { typedConfig: { "@type": a/xds.type.v3.TypedStruct, ' +
      "type_url: b/envoy.extensions.clusters.dns.v3.DnsCluster, " +
      "value: { dnsRefreshRate: 2s } } }",
      {
        cluster_type: {
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
            dns_refresh_rate: "2s",
          },
        },
      },
    ],
    ["metadata: { filterMetadata: { a: { B: [1, { c: x }] } } }", {
      metadata: { filter_metadata: { a: { B: [1, { c: "x" }] } } },
    }],
  ];
  for (const [fields, expected] of rows) {
    assert.deepEqual(
      cluster(fields),
      { static_resources: { clusters: [expected] } },
      fields,
    );
  }
});
