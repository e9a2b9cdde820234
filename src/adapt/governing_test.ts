import assert from "node:assert/strict";
import { readConfiguration } from "../doctor/configuration.ts";
import { ENVOY_YAML } from "../stack/envoy_config.ts";
import type { GoverningLines } from "../stack/governing.ts";
import { yaml } from "./_fixture.ts";
import { governingLines } from "./governing.ts";

/** What is found in a text, by part. */
function found(
  text: string,
  options: { readonly named?: string; readonly service?: string } = {},
): ReadonlyMap<GoverningLines["part"], GoverningLines> {
  const { named, ...rest } = options;
  const lines = governingLines(readConfiguration(text, "my.yaml"), {
    readNamed: (path) =>
      named === undefined ? undefined : readConfiguration(named, path),
    ...rest,
  });
  return new Map(lines.map((one) => [one.part, one]));
}

Deno.test("governingLines() finds the parts of envoy.yaml, with their comments", () => {
  const lines = ENVOY_YAML.split("\n");
  const parts = found(ENVOY_YAML);
  for (
    const [part, field, inside] of [
      ["healthChecks", "health_checks:", "grpc_health_check:"],
      ["panic", "healthy_panic_threshold:", "healthy_panic_threshold:"],
      ["outliers", "outlier_detection:", "base_ejection_time:"],
      ["breakers", "circuit_breakers:", "min_retry_concurrency:"],
      ["retries", "retry_policy:", "num_retries:"],
    ] as const
  ) {
    const { line = 0, text = "", file } = parts.get(part) ?? {};
    const own = text.split("\n");
    assert.equal(file, "my.yaml");
    assert.ok(own.some((one) => one.startsWith(field)), `${part}: ${text}`);
    assert.ok(text.includes(inside), `${part}: ${text}`);
    const inFile = lines.slice(line - 1, line - 1 + own.length);
    assert.deepEqual(
      own.map((one) => one.trim()),
      inFile.map((one) => one.trim()),
    );
  }
  const breakers = parts.get("breakers")?.text ?? "";
  assert.doesNotMatch(breakers, /typed_extension_protocol_options/);
});

Deno.test("governingLines() goes by the call, whatever things are called", async () => {
  const cases = new URL("cases/dns_cluster.yaml", import.meta.url);
  const parts = found(await Deno.readTextFile(cases));
  assert.match(
    parts.get("healthChecks")?.text ?? "",
    /^healthChecks:\n {2}- int/,
  );
  assert.match(parts.get("breakers")?.text ?? "", /minRetryConcurrency: 30$/);
  // The route has no policy of its own.
  assert.match(parts.get("retries")?.text ?? "", /^retryPolicy:/);
  assert.equal(parts.has("outliers"), false);
  assert.equal(parts.has("panic"), false);
});

Deno.test("governingLines() takes the route and the cluster of the service", () => {
  const route = (service: string, cluster: string, retries: number) =>
    `{ match: { prefix: /${service}/ }, route: { cluster: ${cluster}, ` +
    `retry_policy: { num_retries: ${retries} } } }`;
  const text = yaml({
    routes: [route("acme.A", "a", 1), route("acme.B", "b", 2)].join(", "),
    clusters: "- name: b\n      type: STATIC\n      outlier_detection:\n" +
      "        interval: 7s",
  });
  assert.equal(found(text).has("outliers"), false);
  const { text: lines, line } =
    found(text, { service: "acme.B" }).get("outliers") ?? {};
  assert.equal(lines, "outlier_detection:\n  interval: 7s");
  assert.equal(text.split("\n")[(line ?? 0) - 1]?.trim(), "outlier_detection:");
});

Deno.test("governingLines() names the file that has the lines", () => {
  const named = `resources:
  - "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
    name: a
    type: STRICT_DNS
    # Few.
    circuit_breakers:
      thresholds: [{ max_requests: 3 }]
`;
  const text = yaml({
    bootstrap: "dynamic_resources: { cds_config: " +
      "{ path_config_source: { path: cds.yaml } } }",
  }).replace(/ {2}clusters:[^]*?\n(?=dynamic)/, "");
  const { file, line, text: lines } = found(text, { named }).get("breakers") ??
    {};
  assert.deepEqual([file, line], ["cds.yaml", 5]);
  assert.equal(
    lines,
    "# Few.\ncircuit_breakers:\n  thresholds: [{ max_requests: 3 }]",
  );
});

Deno.test("governingLines() has nothing where no call can be followed", () => {
  assert.deepEqual([...found("static_resources: {}")], []);
});
