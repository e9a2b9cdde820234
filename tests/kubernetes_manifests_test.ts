/** The manifests, without a cluster: what they render to. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { PROJECT } from "../bootstrap/docker/machine.ts";
import { runToEnd } from "../src/io/processes.ts";
import { findTool } from "../src/io/tools.ts";
import { envoyYamlForKubernetes } from "../src/stack/envoy_kubernetes.ts";
import { KUBERNETES_ENVOY_YAML } from "../tools/kubernetes_envoy.ts";

/** A Kubernetes object, as far as these tests read it. */
interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // deno-lint-ignore no-explicit-any
  readonly spec?: any;
}

const KUBECTL = (await findTool("kubectl")).path;

/** The objects that a folder of deploy/kubernetes renders to, by their name. */
async function render(folder = ""): Promise<Map<string, Rendered>> {
  const path = `${PROJECT}deploy/kubernetes/${folder}`;
  const { code, stdout, stderr } = await runToEnd(KUBECTL, ["kustomize", path]);
  assert.equal(code, 0, stderr);
  return new Map(
    parseAllDocuments(stdout).map((document) => {
      const object = document.toJS() as Rendered;
      return [`${object.kind} ${object.metadata.name}`, object];
    }),
  );
}

Deno.test("The copy of envoy.yaml for Kubernetes is up to date", async () => {
  assert.equal(
    await Deno.readTextFile(PROJECT + KUBERNETES_ENVOY_YAML),
    envoyYamlForKubernetes(),
    "write it with: ./denow run -q -P=build tools/kubernetes_envoy.ts",
  );
});

Deno.test("Envoy accepts its configuration on Kubernetes", async () => {
  const envoy = (await render()).get("Deployment envoy");
  const [container] = envoy?.spec.template.spec.containers;
  const args: string[] = container.args;
  const { path } = await findTool("envoy");
  const check = async (more: string) => {
    const overlay = args[args.indexOf("--config-yaml") + 1] + more;
    return await runToEnd(path, [
      ...["--mode", "validate", "--log-level", "error"],
      ...["--config-path", PROJECT + KUBERNETES_ENVOY_YAML],
      ...["--config-yaml", overlay],
    ]);
  };
  const { code, stdout, stderr } = await check("");
  assert.equal(code, 0, stdout + stderr);
  // The control: a wrong field is not ignored.
  assert.equal((await check("\nno_such_field: 1\n")).code, 1);
});

Deno.test(
  "Overlays add what their names say to the base, and nothing else",
  async () => {
    const base = await render();
    const added = {
      client: ["Job grpc-client"],
      load: ["Job load"],
      autoscale: ["HorizontalPodAutoscaler grpc-server"],
      gateway: [
        "BackendTrafficPolicy streams",
        "BackendTrafficPolicy unary",
        "ClientTrafficPolicy grpc",
        "GRPCRoute streams",
        "GRPCRoute unary",
        "Gateway grpc",
        "NetworkPolicy gateway",
      ],
    };
    for (const [folder, names] of Object.entries(added)) {
      const overlay = await render(folder);
      for (const name of names) assert.ok(overlay.delete(name), name);
      if (folder === "autoscale") {
        const name = "Deployment grpc-server";
        const server = structuredClone(overlay.get(name));
        assert.ok(server && !("replicas" in server.spec));
        server.spec.replicas = base.get(name)?.spec.replicas;
        overlay.set(name, server);
      }
      assert.deepEqual(overlay, base, folder);
    }
  },
);

Deno.test("Every object is in the demo's own namespace", async () => {
  for (const folder of ["", "client", "load", "autoscale", "gateway"]) {
    for (const [name, { kind, metadata }] of await render(folder)) {
      if (kind === "Namespace") assert.equal(metadata.name, "grpc-demo");
      else assert.equal(metadata.namespace, "grpc-demo", `${folder}: ${name}`);
    }
  }
});

Deno.test("Pods end later than what they are asked to wait for", async () => {
  const objects = await render();
  const podOf = (name: string) =>
    objects.get(`Deployment ${name}`)?.spec.template.spec;
  const server = podOf("grpc-server");
  const sleepS = server.containers[0].lifecycle.preStop.sleep.seconds;
  // The server's defaults: 3 s for health checkers, 8 s for open calls.
  assert.ok(server.terminationGracePeriodSeconds > sleepS + 3 + 8);
  const envoy = podOf("envoy");
  const [delayS] = /(?<=fixed_delay: )[0-9]+(?=s)/.exec(
    envoy.containers[0].args.join("\n"),
  ) ?? [];
  assert.ok(envoy.terminationGracePeriodSeconds > Number(delayS));
});
