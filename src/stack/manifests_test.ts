import assert from "node:assert/strict";
import { listOf } from "../core/yaml.ts";
import { parseEnvoyConfig } from "./envoy_config.ts";
import {
  containerOf,
  deploymentOf,
  type KubernetesObject,
  manifestsFor,
  specOf,
} from "./manifests.ts";

const TEXT = `
apiVersion: v1
kind: Namespace
metadata: { name: grpc-demo }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: envoy-abc, namespace: grpc-demo }
data: { envoy.yaml: "a: 1" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: grpc-server, namespace: grpc-demo }
spec:
  replicas: 3
  template:
    spec:
      containers: [{ name: grpc-server, args: [--port, "8080"] }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: envoy, namespace: grpc-demo }
spec:
  replicas: 2
  template:
    spec:
      containers: [{ name: envoy, args: [--concurrency, "1"] }]
      volumes: [{ name: config, configMap: { name: envoy-abc } }]
`;

const AS_IT_IS = {
  namespace: "other",
  servers: 5,
  envoys: 1,
  serverFlags: ["--allow-faults"],
  changes: [],
};

Deno.test("manifestsFor() changes the namespace, the counts and the flags", () => {
  const objects = manifestsFor(TEXT, { ...AS_IT_IS, concurrency: 2 });
  assert.deepEqual(
    objects.map(({ metadata: { name, namespace } }) => [name, namespace]),
    [
      ["other", undefined],
      ["envoy-abc", "other"],
      ["grpc-server", "other"],
      ["envoy", "other"],
    ],
  );
  const server = deploymentOf(objects, "grpc-server");
  const envoy = deploymentOf(objects, "envoy");
  assert.equal(specOf(server)["replicas"], 5);
  assert.equal(specOf(envoy)["replicas"], 1);
  assert.deepEqual(containerOf(server)["args"], [
    "--port",
    "8080",
    "--allow-faults",
  ]);
  assert.deepEqual(containerOf(envoy)["args"], ["--concurrency", "2"]);
});

/** The name of Envoy's ConfigMap, which its pods must mount. */
function configName(objects: readonly KubernetesObject[]): string {
  const map = objects.find(({ kind }) => kind === "ConfigMap");
  const template = specOf(deploymentOf(objects, "envoy"))["template"];
  const volumes = listOf(
    (template as { spec: { volumes: unknown } }).spec.volumes,
  );
  assert.deepEqual(volumes[0]?.["configMap"], { name: map?.metadata.name });
  return map?.metadata.name ?? "";
}

Deno.test("manifestsFor() gives each configuration of Envoy another name", () => {
  const config = parseEnvoyConfig();
  const name = (changed: typeof config) =>
    configName(manifestsFor(TEXT, { ...AS_IT_IS, config: changed }));
  assert.equal(configName(manifestsFor(TEXT, AS_IT_IS)), "envoy-abc");
  assert.match(name(config), /^envoy-[0-9a-f]{10}$/);
  assert.equal(name(config), name(structuredClone(config)));
  assert.notEqual(name(config), name({ ...config, other: 1 }));
});

Deno.test("manifestsFor() makes the changes last", () => {
  const objects = manifestsFor(TEXT, {
    ...AS_IT_IS,
    changes: [
      (all) => void (specOf(deploymentOf(all, "envoy"))["replicas"] = 7),
    ],
  });
  assert.equal(specOf(deploymentOf(objects, "envoy"))["replicas"], 7);
});

Deno.test("manifestsFor() says what deploy/kubernetes lacks", () => {
  assert.throws(() => manifestsFor("kind: Namespace\nmetadata: {}", AS_IT_IS), {
    message:
      'deploy/kubernetes has no Deployment "grpc-server"; restore it from the repository',
  });
});
