import assert from "node:assert/strict";
import { ENVOY_YAML, parseEnvoyConfig } from "./envoy_config.ts";
import { envoyYamlForKubernetes } from "./envoy_kubernetes.ts";

/** What differs between two values, as "path: from -> to". */
function differences(from: unknown, to: unknown, path = ""): string[] {
  if (from === to) return [];
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null;
  if (!isObject(from) || !isObject(to)) return [`${path}: ${from} -> ${to}`];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .flatMap((key) => differences(from[key], to[key], `${path}/${key}`));
}

Deno.test("envoyYamlForKubernetes() changes what its first lines name, and nothing else", () => {
  const manager = "filter_chains/0/filters/0/typed_config";
  assert.deepEqual(
    differences(
      parseEnvoyConfig(),
      parseEnvoyConfig(envoyYamlForKubernetes()),
    ),
    [
      `/static_resources/listeners/0/${manager}/common_http_protocol_options/max_connection_duration: undefined -> 60s`,
      "/static_resources/listeners/1/address/socket_address/address: 0.0.0.0 -> 127.0.0.1",
      "/static_resources/listeners/2/address/socket_address/address: 0.0.0.0 -> 127.0.0.1",
    ],
  );
});

Deno.test("envoyYamlForKubernetes() fails when what it changes is gone or there twice", () => {
  for (
    const [what, text] of [
      ["gone", ENVOY_YAML.replace("- name: l4", "- name: other")],
      ["twice", ENVOY_YAML + ENVOY_YAML],
    ] as const
  ) {
    assert.throws(
      () => envoyYamlForKubernetes(text),
      { name: "Failure", message: /^envoy\.yaml must have this text once/ },
      what,
    );
  }
});
