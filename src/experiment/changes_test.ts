import assert from "node:assert/strict";
import { CATALOGUE } from "../../experiments/catalogue.ts";
import { at, listOf } from "../core/yaml.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import { envoyYamlForKubernetes } from "../stack/envoy_kubernetes.ts";
import {
  callsInFlight,
  changedConfig,
  grpcCluster,
  noOutlierDetection,
  outlierFields,
} from "./changes.ts";
import { controlsOf } from "./conduct.ts";

Deno.test("changedConfig() makes changes, one after another", () => {
  const config = changedConfig([
    outlierFields("first", { interval: "2s", max_ejection_percent: 1 }),
    outlierFields("second", { max_ejection_percent: 2 }),
  ]);
  const { interval, max_ejection_percent, base_ejection_time } = Object(
    grpcCluster(config)["outlier_detection"],
  );
  assert.equal(interval, "2s");
  assert.equal(max_ejection_percent, 2);
  const kept = at(grpcCluster(parseEnvoyConfig()), "outlier_detection");
  assert.equal(base_ejection_time, at(kept, "base_ejection_time"));
});

Deno.test("callsInFlight() limits calls where nothing was limited, too", () => {
  const base = parseEnvoyConfig();
  delete grpcCluster(base)["circuit_breakers"];
  const config = changedConfig([callsInFlight(7)], base);
  assert.deepEqual(
    listOf(at(grpcCluster(config), "circuit_breakers", "thresholds")),
    [{ max_requests: 7, max_pending_requests: 7 }],
  );
});

for (
  const [what, apply, problem] of [
    [
      "leads nowhere",
      outlierFields("", { interval: "2s" }).apply,
      "Cannot find outlier_detection",
    ],
    ["changes nothing", () => {}, "it changes nothing"],
  ] as const
) {
  Deno.test(`changedConfig() names a change that ${what}`, () => {
    const changes = [noOutlierDetection, { name: "mine", apply }];
    assert.throws(() => changedConfig(changes), {
      name: "Failure",
      kind: "environment",
      message: `Cannot apply the change "mine" to envoy.yaml: ${problem}; ` +
        "fix the change or the file",
    });
  });
}

for (const experiment of CATALOGUE) {
  const { name, setup, isForKubernetes } = experiment;
  Deno.test(`${name}: its changes fit envoy.yaml`, () => {
    const base = parseEnvoyConfig(
      isForKubernetes ? envoyYamlForKubernetes() : undefined,
    );
    for (const { changes } of [setup, ...controlsOf(experiment)]) {
      assert.doesNotThrow(() => changedConfig(changes ?? [], base));
    }
  });
}
