/** Reads Kubernetes' Gateway API: which routes no policy says anything about. */
import type { Place, Source } from "./message.ts";
import { child, listIn, type Node, textAt } from "./yaml_tree.ts";

/** A GRPCRoute that no policy says anything about. */
export interface BareRoute {
  readonly name: string;
  readonly place: Place;
}

/** A resource that a policy can target. */
interface Target {
  readonly kind: string;
  readonly name: string;
  /** Empty if it is not said, and so any. */
  readonly namespace: string;
  /** The manifest, if it is here. */
  readonly manifest: Node | undefined;
}

/** Whether a manifest is a GRPCRoute of Gateway API. */
export function isGrpcRoute(manifest: Node): boolean {
  return textAt(manifest, "kind") === "GRPCRoute" &&
    textAt(manifest, "apiVersion").startsWith("gateway.networking.k8s.io/");
}

/** The GRPCRoutes that no BackendTrafficPolicy targets, nor their Gateway. */
export function bareRoutes(
  manifests: readonly Node[],
  source: Source,
): readonly BareRoute[] {
  const policies = manifests.filter((one) =>
    textAt(one, "kind") === "BackendTrafficPolicy" &&
    textAt(one, "apiVersion").startsWith("gateway.envoyproxy.io/")
  );
  return manifests.filter(isGrpcRoute).filter((route) => {
    const targets = [targetOf(route), ...parentsOf(route, manifests)];
    return !policies.some((policy) =>
      targets.some((target) => isTargeted(target, policy))
    );
  }).map((route) => ({
    name: targetOf(route).name,
    place: {
      path: "spec",
      source,
      offset: child(route, "spec")?.offset ?? route.offset,
    },
  }));
}

/** Empty if it is not said. */
export function namespaceOf(manifest: Node): string {
  return textAt(manifest, "metadata", "namespace");
}

function targetOf(manifest: Node): Target {
  return {
    kind: textAt(manifest, "kind"),
    name: textAt(manifest, "metadata", "name"),
    namespace: namespaceOf(manifest),
    manifest,
  };
}

/** The Gateways of a route, which may be in other files. */
function parentsOf(
  route: Node,
  manifests: readonly Node[],
): readonly Target[] {
  return listIn(child(route, "spec"), "parentRefs").map((parent) => {
    const target = {
      kind: textAt(parent, "kind") || "Gateway",
      name: textAt(parent, "name"),
      namespace: textAt(parent, "namespace") || targetOf(route).namespace,
    };
    return {
      ...target,
      manifest: manifests.find((one) => isSame(targetOf(one), target)),
    };
  });
}

type Name = Omit<Target, "manifest">;

function isSame(one: Name, other: Name): boolean {
  return one.kind === other.kind && one.name === other.name &&
    isSameNamespace(one.namespace, other.namespace);
}

/** Where one of them is not said, kubectl's own decides. */
export function isSameNamespace(one: string, other: string): boolean {
  return one === "" || other === "" || one === other;
}

/** A policy targets what is in its own namespace, by name or by labels. */
function isTargeted(target: Target, policy: Node): boolean {
  const { namespace } = targetOf(policy);
  if (!isSameNamespace(namespace, target.namespace)) return false;
  const spec = child(policy, "spec");
  const only = child(spec, "targetRef");
  const names = [
    ...(only === undefined ? [] : [only]),
    ...listIn(spec, "targetRefs"),
  ].map((one) => ({
    kind: textAt(one, "kind"),
    name: textAt(one, "name"),
    namespace,
  }));
  return names.some((one) => isSame(one, target)) ||
    listIn(spec, "targetSelectors").some((selector) =>
      textAt(selector, "kind") === target.kind && hasLabels(target, selector)
    );
}

function hasLabels({ manifest }: Target, selector: Node): boolean {
  const wanted = child(selector, "matchLabels");
  return manifest !== undefined && wanted?.kind === "map" &&
    wanted.entries.every(({ key, value }) =>
      value.kind === "scalar" &&
      textAt(manifest, "metadata", "labels", key) === value.text
    );
}
