/** Pitfalls of timeouts, retries and streams: what a route decides. */
import { type Model, runtimeFlag, type Unseen } from "./model.ts";
import type { Route } from "./route.ts";
import type { Cluster } from "./cluster.ts";
import type { Message } from "./message.ts";
import {
  type Finding,
  finding,
  ofCluster,
  ofRoute,
  type Rule,
  seconds,
} from "./rule.ts";

/** A route's time for a call, unless set. */
const TIMEOUT_MS_DEFAULT = 15_000;

/** The share of the calls in flight that may be retries, unless set. */
const RETRY_PERCENT_DEFAULT = 20;

/** A limit of a day cuts no stream that would not end anyway. */
const STREAM_MS_MIN = 24 * 60 * 60 * 1000;

/** Conditions under which a call is retried that reached no server, or died. */
const ON_CONNECTION = [
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "refused-stream",
  "http3-post-connect-failure",
];

/** Conditions that read the status of a reply. */
const ON_STATUS = [
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
  "retriable-4xx",
  "retriable-status-codes",
  "retriable-headers",
  "envoy-ratelimited",
];

/** Conditions that the end of a "per_try_timeout" meets. */
const ON_TIMEOUT = ["5xx", "gateway-error", "reset", "deadline-exceeded"];

/** A route's retry policy, or that of its virtual host. */
function retryPolicy({ action, virtualHost }: Route): Message | undefined {
  return action.message("retry_policy") ?? virtualHost.message("retry_policy");
}

/** The conditions of a policy that Envoy knows; it ignores other words. */
function conditions(policy: Message): readonly string[] {
  const words = (policy.text("retry_on") ?? "").split(",")
    .map((word) => word.trim());
  return words.filter((word) =>
    [...ON_CONNECTION, ...ON_STATUS].includes(word)
  );
}

/** Whether a typed policy, which is not read here, decides. */
function isHidden({ action, virtualHost }: Route): boolean {
  return action.has("retry_policy_typed_config") ||
    virtualHost.has("retry_policy_typed_config");
}

/** The routes that retry, each with its policy. */
function retrying({ routes }: Pick<Model, "routes">) {
  return routes.flatMap((route) => {
    const policy = retryPolicy(route);
    return policy === undefined || conditions(policy).length === 0
      ? []
      : [{ route, policy }];
  });
}

/** How long a route lets a call last, and the field that says so. */
function limitOf({ action, manager }: Route) {
  const of = (message: Message, path: string) => ({
    ms: message.number(path) || Infinity,
    message,
    path,
    isSet: message.has(path),
  });
  const common = of(
    manager.message,
    "common_http_protocol_options.max_stream_duration",
  );
  if (action.has("max_stream_duration")) {
    const own = of(action, "max_stream_duration.max_stream_duration");
    return own.isSet ? own : common;
  }
  const timeout = of(action, "timeout");
  const limit = timeout.isSet
    ? timeout
    : { ...timeout, ms: TIMEOUT_MS_DEFAULT };
  return common.ms < limit.ms ? common : limit;
}

function serviceOf({ path }: Route): string | undefined {
  return /^\/([^/]+)\//.exec(path ?? "")?.[1];
}

/**
 * Finds routes that end a stream. A limit that was chosen is no fault where
 * another route takes the streams of the same service.
 */
function cutStreams({ routes }: Model): readonly Finding[] {
  return routes.flatMap((route) => {
    const limit = limitOf(route);
    if (limit.ms >= STREAM_MS_MIN) return [];
    const service = serviceOf(route);
    const hasStreams = routes.some((other) =>
      other !== route && other.manager === route.manager &&
      limitOf(other).ms >= STREAM_MS_MIN &&
      (service === undefined || serviceOf(other) === service)
    );
    return limit.isSet && hasStreams ? [] : [finding(
      ofRoute(route),
      limit.message,
      limit.path,
      limit.isSet ? seconds(limit.ms) : "not set",
    )];
  });
}

function priorityOf({ action }: Route): string {
  return action.text("priority") ?? "DEFAULT";
}

/** A cluster's limits for the priority of a route. */
function thresholdsOf(cluster: Cluster, route: Route): Message | undefined {
  return cluster.message.messages("circuit_breakers.thresholds").find((one) =>
    (one.text("priority") ?? "DEFAULT") === priorityOf(route)
  );
}

/** The lists without which a condition is never met. */
const LISTS: Readonly<Record<string, string>> = {
  "retriable-status-codes": "retriable_status_codes",
  "retriable-headers": "retriable_headers",
};

/** Whether a cluster's limits leave room for a retry; a budget overrides. */
function mayRetry(limits: Message, budget: Message | undefined): boolean {
  if (budget === undefined) return limits.number("max_retries") !== 0;
  const percent = budget.has("budget_percent")
    ? budget.number("budget_percent.value") ?? 0
    : RETRY_PERCENT_DEFAULT;
  return percent > 0 || budget.number("min_retry_concurrency") !== 0;
}

/** Finds policies that can never start a second try. */
function neverRetry(model: Model): readonly Finding[] {
  return retrying(model).flatMap(({ route, policy }) => {
    const found = (path: string, now: string) => [
      finding(ofRoute(route), policy, path, now),
    ];
    if (policy.number("num_retries") === 0) return found("num_retries", "0");
    const perTry = policy.number("per_try_timeout") ?? 0;
    const whole = route.action.has("max_stream_duration")
      ? Infinity
      : route.action.number("timeout") ?? TIMEOUT_MS_DEFAULT;
    if (whole > 0 && perTry >= whole) {
      return found(
        "per_try_timeout",
        `${seconds(perTry)}, and the route's timeout is ${seconds(whole)}`,
      );
    }
    const missing = conditions(policy).map((one) => LISTS[one])
      .map((list) =>
        list === undefined || policy.list(list).length > 0 ? undefined : list
      );
    const [first] = missing;
    if (first !== undefined && !missing.includes(undefined)) {
      return found(first, "not set");
    }
    return route.clusters.flatMap((cluster) => {
      const limits = thresholdsOf(cluster, route);
      const budget = limits?.message("retry_budget");
      if (limits === undefined || mayRetry(limits, budget)) return [];
      return [finding(
        ofCluster(cluster),
        limits,
        budget === undefined ? "max_retries" : "retry_budget",
        "0",
      )];
    });
  });
}

/** Finds thresholds that a field is missing in, for the route's priority. */
function inThresholds(
  model: Model,
  routes: readonly Route[],
  field: string,
): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const route of routes) {
    const priority = priorityOf(route);
    for (const cluster of route.clusters) {
      const own = thresholdsOf(cluster, route);
      const key = [cluster.name, priority.toLowerCase(), field].join(".");
      if (own?.has(field) || model.runtime.has(`circuit_breakers.${key}`)) {
        continue;
      }
      found.set(
        `${cluster.name} ${priority}`,
        own === undefined
          ? finding(
            ofCluster(cluster),
            cluster.message,
            `circuit_breakers.thresholds.${field}`,
            `not set for the priority ${priority}`,
          )
          : finding(ofCluster(cluster), own, field),
      );
    }
  }
  return [...found.values()];
}

/** The runtime flag that makes timeouts end as DEADLINE_EXCEEDED. */
const DEADLINE_FLAG =
  "envoy.reloadable_features.grpc_timeout_returns_deadline_exceeded";

function timeoutUnavailable(model: Model): readonly Finding[] {
  if (runtimeFlag(model, DEADLINE_FLAG) === true) return [];
  return model.routes.flatMap((route) => {
    const { action } = route;
    const perTry = retryPolicy(route)?.number("per_try_timeout") ?? 0;
    const timeout = action.has("max_stream_duration")
      ? 0
      : action.number("timeout") ?? TIMEOUT_MS_DEFAULT;
    if (perTry > 0) {
      return [
        finding(
          ofRoute(route),
          retryPolicy(route) ?? action,
          "per_try_timeout",
          seconds(perTry),
        ),
      ];
    }
    return timeout <= 0 || timeout >= STREAM_MS_MIN ? [] : [finding(
      ofRoute(route),
      action,
      "timeout",
      action.has("timeout") ? seconds(timeout) : "not set, and so 15s",
    )];
  });
}

/** Rules about what happens to one call. */
export const CALL_RULES: readonly Rule[] = [
  {
    id: "streams-cut",
    severity: "risky",
    why: "A route's timeout is 15 s unless set, and it ends streams too; set " +
      "it to 0s on the routes of streams",
    change: "timeout: 0s",
    experiment: "long-streams",
    find: cutStreams,
  },
  {
    id: "no-retries",
    severity: "wrong",
    why: "Every call in flight on a server that dies is lost; retry on " +
      "connect-failure, refused-stream, reset and unavailable",
    change:
      "retry_policy: { retry_on: 'connect-failure,refused-stream,reset,unavailable', num_retries: 2 }",
    experiment: "kill-one",
    find: ({ routes }) =>
      routes.filter((route) => {
        const policy = retryPolicy(route);
        return !isHidden(route) &&
          (policy === undefined || conditions(policy).length === 0);
      }).map((route) => {
        const policy = retryPolicy(route);
        return policy === undefined
          ? finding(ofRoute(route), route.action, "retry_policy")
          : finding(ofRoute(route), policy, "retry_on");
      }),
  },
  {
    id: "retry-on-statuses",
    severity: "wrong",
    why:
      "A status is what a server answers, and a killed one answers nothing: " +
      "failures to connect and resets are not retried (measured: 5 of 800 " +
      "calls lost at a kill, 0 with them)",
    change: "retry_on: connect-failure,refused-stream,reset,unavailable",
    experiment: "kill-one",
    find: (model) =>
      retrying(model).filter(({ policy }) =>
        !conditions(policy).some((one) => ON_CONNECTION.includes(one))
      ).map(({ route, policy }) => finding(ofRoute(route), policy, "retry_on")),
  },
  {
    id: "retry-never",
    severity: "wrong",
    why: "This retry policy never starts a second try",
    change: "retry_policy: { num_retries: 2 }",
    experiment: "kill-one",
    find: neverRetry,
  },
  {
    id: "retry-same-host",
    severity: "risky",
    why: "A retry may go to the server that has just failed; add the " +
      "previous_hosts predicate",
    change: `host_selection_retry_max_attempts: 5
retry_host_predicate:
  - name: envoy.retry_host_predicates.previous_hosts
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate`,
    experiment: "two-of-three-killed",
    find: (model) =>
      retrying(model).filter(({ policy }) =>
        !policy.messages("retry_host_predicate").some((predicate) =>
          predicate.message("typed_config")?.is("PreviousHostsPredicate") ??
            predicate.text("name") ===
              "envoy.retry_host_predicates.previous_hosts"
        )
      ).map(({ route, policy }) =>
        finding(ofRoute(route), policy, "retry_host_predicate")
      ),
  },
  {
    id: "no-retry-budget",
    severity: "risky",
    why: "Without a budget at most 3 retries run at once, and " +
      "a larger fixed limit feeds a retry storm; set retry_budget",
    change:
      "retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 20 }",
    experiment: "retry-storm",
    find: (model) =>
      inThresholds(
        model,
        retrying(model).map(({ route }) => route),
        "retry_budget",
      ),
  },
  {
    id: "no-circuit-breaker",
    severity: "risky",
    why:
      "A slow cluster gets up to 1024 calls at once before one is refused; " +
      "set max_requests to what the servers can handle",
    change: "circuit_breakers: { thresholds: [{ max_requests: 512 }] }",
    experiment: "circuit-breaker",
    find: (model) => inThresholds(model, model.routes, "max_requests"),
  },
  {
    id: "silent-server",
    severity: "risky",
    why: "Calls on a server that hangs wait for their whole deadline; set " +
      "connection_keepalive to the servers, or per_try_timeout",
    change: "connection_keepalive: { interval: 1s, timeout: 0.5s }",
    experiment: "paused-server",
    find: ({ clusters, routes }) =>
      clusters.filter((cluster) =>
        cluster.protocol !== "http1" &&
        !((cluster.http2?.number("connection_keepalive.interval") ?? 0) > 0) &&
        routes.some((route) => {
          const policy = retryPolicy(route);
          return route.clusters.includes(cluster) &&
            !((policy?.number("per_try_timeout") ?? 0) > 0) &&
            !((policy?.number("per_try_idle_timeout") ?? 0) > 0);
        })
      ).map((cluster) => ({
        of: ofCluster(cluster),
        place: cluster.http2?.where("connection_keepalive") ??
          cluster.http2Place,
        now: "not set",
      })),
  },
  {
    id: "timeout-unavailable",
    severity: "risky",
    why:
      "A call that runs out of this time ends as UNAVAILABLE, which callers " +
      "take as never executed and retry, unless the runtime flag makes it " +
      "DEADLINE_EXCEEDED",
    change: `layered_runtime:
  layers:
    - name: static
      static_layer:
        ${DEADLINE_FLAG}: true`,
    experiment: "route-timeout",
    find: timeoutUnavailable,
  },
  {
    id: "per-try-runs-twice",
    severity: "worth knowing",
    why: "A call that is slower than per_try_timeout runs again on another " +
      "server while the first may still work on it; set it only for calls " +
      "that may run twice",
    change: "per_try_timeout: 0s",
    experiment: "route-timeout",
    find: (model) =>
      retrying(model).filter(({ policy }) =>
        (policy.number("per_try_timeout") ?? 0) > 0 &&
        policy.number("num_retries") !== 0 &&
        conditions(policy).some((one) => ON_TIMEOUT.includes(one))
      ).map(({ route, policy }) =>
        finding(
          ofRoute(route),
          policy,
          "per_try_timeout",
          seconds(policy.number("per_try_timeout") ?? 0),
        )
      ),
  },
];

/** Retry policies that no rule can read. */
export function hiddenPolicies({ routes }: Model): readonly Unseen[] {
  return routes.filter(isHidden).map((route) => ({
    place: route.action.where("retry_policy_typed_config"),
    what: "a retry policy that is an extension",
  }));
}
