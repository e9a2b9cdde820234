import assert from "node:assert/strict";
import { stagingModulesOf } from "./programs.ts";

Deno.test("stagingModulesOf() lists what a go.mod replaces by its own folders", () => {
  const goMod = `module k8s.io/kubernetes

require k8s.io/api v0.0.0

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/cri-api => ./staging/src/k8s.io/cri-api
	example.com/other => example.com/fork v1.0.0
)

replace k8s.io/metrics => ./staging/src/k8s.io/metrics
`;
  assert.deepEqual(stagingModulesOf(goMod), [
    "k8s.io/api",
    "k8s.io/cri-api",
    "k8s.io/metrics",
  ]);
});
