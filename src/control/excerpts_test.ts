import assert from "node:assert/strict";
import { ENVOY_YAML } from "../stack/envoy_config.ts";
import { excerptsOf } from "./excerpts.ts";

Deno.test("excerptsOf() finds the lines of envoy.yaml behind each figure", () => {
  const lines = ENVOY_YAML.split("\n");
  const excerpts = new Map(
    excerptsOf(ENVOY_YAML).map((one) => [one.figure, one]),
  );
  for (
    const [figure, field] of [
      ["healthy", "health_checks:"],
      ["isPanicking", "healthy_panic_threshold:"],
      ["ejections", "outlier_detection:"],
      ["openBreakers", "circuit_breakers:"],
      ["retries", "retry_policy:"],
      ["retriesAllowed", "min_retry_concurrency:"],
    ] as const
  ) {
    const { line = 0, text = "" } = excerpts.get(figure) ?? {};
    assert.ok(text.includes(field), `${figure}: ${text}`);
    assert.equal(lines[line - 1]?.trim(), text.split("\n")[0]?.trim());
  }
});

Deno.test("excerptsOf() has nothing for fields that are not there", () => {
  assert.deepEqual(excerptsOf("static_resources: {}"), []);
});
