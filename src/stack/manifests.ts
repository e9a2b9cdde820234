/** Adapts the objects of deploy/kubernetes to one stack. */
import { createHash } from "node:crypto";
import { parseAllDocuments, stringify } from "yaml";
import { Failure } from "../core/errors.ts";
import { at, type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import type { EnvoyConfig } from "./envoy_config.ts";

/** An object of Kubernetes. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** Changes the objects, in place. */
export type ManifestChange = (objects: KubernetesObject[]) => void;

/** What differs from deploy/kubernetes. */
export interface ManifestOptions {
  readonly namespace: string;
  readonly servers: number;
  readonly envoys: number;
  /** Envoy's configuration (default: the manifests' own). */
  readonly config?: EnvoyConfig | undefined;
  /** Envoy's worker threads (default: the manifests' own). */
  readonly concurrency?: number | undefined;
  /** Extra flags for every server. */
  readonly serverFlags: readonly string[];
  /** Made last. */
  readonly changes: readonly ManifestChange[];
}

/** The Deployments, and the labels app.kubernetes.io/name of their pods. */
export const DEPLOYMENTS = { server: "grpc-server", envoy: "envoy" } as const;

/** One of them. */
export type Deployment = typeof DEPLOYMENTS[keyof typeof DEPLOYMENTS];

/** Whose objects these are; the namespace has it, too. */
export const PART_LABEL = "app.kubernetes.io/part-of";
export const PART = "grpc-demo";

/** A digest's first characters tell configurations apart. */
const HASH_CHARACTERS = 10;

/**
 * Adapts the objects.
 *
 * @param text What `kubectl kustomize deploy/kubernetes` prints.
 * @throws {Failure} `environment` when an object that changes is missing.
 */
export function manifestsFor(
  text: string,
  options: ManifestOptions,
): readonly KubernetesObject[] {
  const objects = parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject);
  const { namespace, servers, envoys, config, concurrency } = options;
  for (const { kind, metadata } of objects) {
    if (kind === "Namespace") metadata.name = namespace;
    else metadata.namespace = namespace;
  }
  const server = deploymentOf(objects, DEPLOYMENTS.server);
  specOf(server)["replicas"] = servers;
  argsOf(server).push(...options.serverFlags);
  const envoy = deploymentOf(objects, DEPLOYMENTS.envoy);
  specOf(envoy)["replicas"] = envoys;
  if (concurrency !== undefined) {
    const args = argsOf(envoy);
    args[args.indexOf("--concurrency") + 1] = String(concurrency);
  }
  if (config !== undefined) setEnvoyConfig(objects, config);
  for (const change of options.changes) change(objects);
  return objects;
}

/** A Deployment. @throws {Failure} `environment` when it is missing. */
export function deploymentOf(
  objects: readonly KubernetesObject[],
  name: string,
): KubernetesObject {
  const found = objects.find(({ kind, metadata }) =>
    kind === "Deployment" && metadata.name === name
  );
  if (found !== undefined) return found;
  throw new Failure(
    "environment",
    `deploy/kubernetes has no Deployment "${name}"; restore it from the repository`,
  );
}

/** An object's `spec`. */
export function specOf(object: KubernetesObject): Fields {
  return fieldsOf(object["spec"]);
}

/** The template of a Deployment's pods: its `spec`. */
function podSpecOf(deployment: KubernetesObject): Fields {
  return fieldsOf(at(deployment, "spec", "template", "spec"));
}

/** The container of a Deployment's pods. */
export function containerOf(deployment: KubernetesObject): Fields {
  return fieldsOf(listOf(podSpecOf(deployment)["containers"])[0]);
}

function argsOf(deployment: KubernetesObject): string[] {
  return containerOf(deployment)["args"] as string[];
}

/** A changed configuration gets another name, so that the Envoys roll. */
function setEnvoyConfig(
  objects: readonly KubernetesObject[],
  config: EnvoyConfig,
): void {
  const text = stringify(config, { aliasDuplicateObjects: false });
  const digest = createHash("sha256").update(text).digest("hex");
  const name = `${DEPLOYMENTS.envoy}-${digest.slice(0, HASH_CHARACTERS)}`;
  const map = objects.find(({ kind }) => kind === "ConfigMap");
  if (map === undefined) {
    throw new Failure(
      "environment",
      "deploy/kubernetes has no ConfigMap for Envoy; restore it from the repository",
    );
  }
  map.metadata.name = name;
  map["data"] = { "envoy.yaml": text };
  const spec = podSpecOf(deploymentOf(objects, DEPLOYMENTS.envoy));
  for (const volume of listOf(spec["volumes"])) {
    if (volume["configMap"] !== undefined) volume["configMap"] = { name };
  }
}
