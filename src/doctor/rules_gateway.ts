/** Pitfalls of what Kubernetes' Gateway API leaves open. */
import { quoted, type Rule } from "./rule.ts";

/** The rules about manifests of Gateway API. */
export const GATEWAY_RULES: readonly Rule[] = [
  {
    id: "route-without-policy",
    severity: "risky",
    why:
      "A GRPCRoute has no timeouts and no retries of its own, so that Envoy " +
      "ends its streams after 15 s, and every call in flight on a server that " +
      "dies is lost; say them in a BackendTrafficPolicy",
    change: `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: your-route }
spec:
  targetRefs:
    - { group: gateway.networking.k8s.io, kind: GRPCRoute, name: your-route }
  timeout: { http: { requestTimeout: 0s } } # for streams
  retry:
    numRetries: 2
    retryOn: { triggers: [connect-failure, refused-stream, reset, unavailable] }`,
    experiment: "kill-one",
    find: ({ bareRoutes }) =>
      bareRoutes.map(({ name, place }) => ({
        of: `GRPCRoute ${quoted(name)}`,
        place,
        now: "without timeouts and retries, and no BackendTrafficPolicy " +
          "targets it",
      })),
  },
];
