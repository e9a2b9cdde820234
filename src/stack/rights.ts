/** What a user must be allowed to do to have a stack on Kubernetes. */
import { Failure } from "../core/errors.ts";
import type { Kubectl } from "./kubectl.ts";

/** Verbs on a resource, or a part of one: "pods/log". */
export interface Right {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
}

/** `kubectl apply` reads what there is, and creates what is missing. */
const APPLY = ["get", "create"];

/**
 * What the stack's commands need, which a test on a cluster compares with them.
 * What they can do without is not here: deleting Jobs before their namespace,
 * and reading events.
 */
export const RIGHTS: readonly Right[] = [
  {
    group: "",
    resource: "namespaces",
    // A deletion waits until it is done.
    verbs: ["create", "get", "delete", "list", "watch"],
  },
  { group: "", resource: "services", verbs: APPLY },
  { group: "", resource: "configmaps", verbs: APPLY },
  { group: "networking.k8s.io", resource: "networkpolicies", verbs: APPLY },
  { group: "policy", resource: "poddisruptionbudgets", verbs: APPLY },
  {
    group: "apps",
    resource: "deployments",
    // A changed one is applied or restarted, and its rollout watched.
    verbs: [...APPLY, "patch", "list", "watch", "delete"],
  },
  { group: "apps", resource: "deployments/scale", verbs: ["patch"] },
  {
    group: "",
    resource: "pods",
    // They are annotated, so that these leave first.
    verbs: ["get", "list", "watch", "patch", "delete"],
  },
  { group: "", resource: "pods/log", verbs: ["get"] },
  { group: "", resource: "pods/portforward", verbs: ["create"] },
  { group: "", resource: "pods/eviction", verbs: ["create"] },
];

/**
 * Checks that this user may do it all, before anything is changed.
 *
 * @throws {Failure} `environment`, naming what is not allowed.
 */
export async function requireRights(kubectl: Kubectl): Promise<void> {
  const { namespace } = kubectl;
  const asked = RIGHTS.flatMap(({ group, resource: path, verbs }) =>
    verbs.map((verb) => ({ group, path, verb }))
  );
  const reviews = asked.map(({ group, path, verb }) => {
    const [resource, subresource] = path.split("/");
    return {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: {
        resourceAttributes: {
          ...(path === "namespaces" ? ofNamespace(namespace, verb) : {
            namespace,
          }),
          ...{ group, resource, subresource, verb },
        },
      },
    };
  });
  const words = ["create", '--output=jsonpath={.status.allowed}{"\\n"}'];
  const answer = await kubectl.tryWith(reviews, words);
  if (answer.code !== 0) throw kubectl.failure(words, answer);
  const allowed = answer.stdout.trim().split("\n");
  const missing = asked.filter((_, index) => allowed[index] !== "true")
    .map(({ path, verb }) => `${verb} ${path}`);
  if (missing.length === 0) return;
  throw new Failure(
    "environment",
    `The user of context ${JSON.stringify(kubectl.context)} may not ${
      missing.join(", ")
    }, which the demo needs in namespace "${namespace}"; use a ` +
      "context whose user may",
  );
}

/** As the cluster asks about a namespace: its rights may be by name. */
function ofNamespace(name: string, verb: string): Record<string, string> {
  if (verb === "create") return {};
  return verb === "list" || verb === "watch" ? { name } : {
    name,
    namespace: name,
  };
}
