/** Pitfalls of timeouts, retries, outlier detection and limits. */
import { at, type Fields, listOf } from "../core/yaml.ts";
import { durationMs, type Manager, type Model, type Route } from "./model.ts";
import { type Finding, type Rule, shown } from "./rule.ts";

/** The share of one server in a small cluster of three. */
const ONE_OF_THREE_PERCENT = 34;

/** The routes that retry. */
function retryRoutes({ managers }: Model): readonly Route[] {
  return managers.flatMap(({ routes }) => routes)
    .filter(({ action }) => action["retry_policy"] !== undefined);
}

function inOutlierDetection(
  field: string,
  isFine: (detection: Fields) => boolean,
): Rule["find"] {
  return ({ clusters }) =>
    clusters.flatMap(({ name, fields }) => {
      const detection = fields["outlier_detection"] as Fields | undefined;
      if (detection === undefined || isFine(detection)) return [];
      return [{
        field: `cluster "${name}": outlier_detection.${field}`,
        now: shown(detection[field]),
      }];
    });
}

function inManagers(
  path: readonly string[],
  isFine: (value: unknown, manager: Manager) => boolean,
): Rule["find"] {
  return ({ managers }) =>
    managers
      .filter((manager) => !isFine(at(manager.fields, ...path), manager))
      .map(({ listener, fields }) => ({
        field: `listener "${listener}": ${path.join(".")}`,
        now: shown(at(fields, ...path)),
      }));
}

/** Finds managers without a route that lets a stream live long. */
function streamsAreCut({ managers }: Model): Finding[] {
  return managers
    .filter(({ routes }) =>
      !routes.some(({ action }) =>
        durationMs(action["timeout"]) === 0 ||
        action["max_stream_duration"] !== undefined
      )
    )
    .map(({ listener, routes }) => ({
      field: `listener "${listener}": route.timeout`,
      now: routes.map(({ name, action }) =>
        `"${name}" ${shown(action["timeout"])}`
      ).join(", "),
    }));
}

function thresholds(
  { clusters }: Model,
  isFine: (thresholds: readonly Fields[]) => boolean,
  field: string,
): Finding[] {
  return clusters
    .filter(({ isRouted }) => isRouted)
    .filter(({ fields }) =>
      !isFine(listOf(at(fields, "circuit_breakers", "thresholds")))
    )
    .map(({ name }) => ({
      field: `cluster "${name}": circuit_breakers.thresholds${field}`,
      now: "not set",
    }));
}

/** Whether connections from callers are limited. */
function limitsConnections({ root }: Model): boolean {
  return listOf(at(root, "overload_manager", "resource_monitors"))
    .some(({ name }) => String(name).includes("downstream_max_connections"));
}

/** Rules about failures and overload. */
export const RESILIENCE_RULES: readonly Rule[] = [
  {
    id: "streams-cut",
    why: "A route's timeout is 15 s unless set, and it ends streams too; set " +
      "it to 0s on the routes of streams",
    experiment: "long-streams",
    find: streamsAreCut,
  },
  {
    id: "no-retries",
    why: "Every call in flight on a server that dies is lost; retry on " +
      "connect-failure, refused-stream, reset and unavailable",
    experiment: "kill-one",
    find: ({ managers }) =>
      managers.filter(({ routes }) =>
        routes.length > 0 &&
        !routes.some(({ action }) => action["retry_policy"] !== undefined)
      ).map(({ listener }) => ({
        field: `listener "${listener}": route.retry_policy`,
        now: "not set",
      })),
  },
  {
    id: "retry-same-host",
    why: "A retry may go to the server that has just failed; add the " +
      "previous_hosts predicate",
    experiment: "two-of-three-killed",
    find: (model) =>
      retryRoutes(model)
        .filter(({ action }) =>
          !listOf(at(action, "retry_policy", "retry_host_predicate"))
            .some(({ name }) => String(name).includes("previous_hosts"))
        )
        .map(({ name, action }) => ({
          field: `route "${name}": retry_policy.retry_host_predicate`,
          now: shown(at(action, "retry_policy", "retry_host_predicate")),
        })),
  },
  {
    id: "no-retry-budget",
    why: "Without a budget at most 3 retries run at once, and " +
      "a larger fixed limit feeds a retry storm; set retry_budget",
    experiment: "retry-storm",
    find: (model) =>
      retryRoutes(model).length === 0 ? [] : thresholds(
        model,
        (all) => all.some((one) => one["retry_budget"] !== undefined),
        ".retry_budget",
      ),
  },
  {
    id: "no-circuit-breaker",
    why:
      "A slow cluster gets up to 1024 calls at once before one is refused; " +
      "set max_requests to what the servers can handle",
    experiment: "circuit-breaker",
    find: (model) =>
      thresholds(
        model,
        (all) => all.some((one) => one["max_requests"] !== undefined),
        ".max_requests",
      ),
  },
  {
    id: "ejects-nobody",
    why:
      "At most 10 % of the servers are ejected unless set, so one of three " +
      "never is; set max_ejection_percent to 34 or more",
    experiment: "faulty-server",
    find: inOutlierDetection(
      "max_ejection_percent",
      (detection) =>
        Number(detection["max_ejection_percent"] ?? 10) >=
          ONE_OF_THREE_PERCENT || detection["always_eject_one_host"] === true,
    ),
  },
  {
    id: "no-enforcing",
    why: "With both detectors at 0 a server that answers UNAVAILABLE is " +
      "never ejected; enforce one of them",
    experiment: "faulty-server",
    find: inOutlierDetection(
      "enforcing_consecutive_gateway_failure",
      (detection) =>
        Number(detection["enforcing_consecutive_5xx"] ?? 100) > 0 ||
        Number(detection["enforcing_consecutive_gateway_failure"] ?? 0) > 0,
    ),
  },
  {
    id: "check-unejects",
    why:
      "A failing server whose health check passes returns at the next check " +
      "unless this is false",
    experiment: "faulty-server",
    find: inOutlierDetection(
      "successful_active_health_check_uneject_host",
      (detection) =>
        detection["successful_active_health_check_uneject_host"] === false,
    ),
  },
  {
    id: "silent-server",
    why: "Calls on a server that hangs wait for their whole deadline; set " +
      "per_try_timeout, or connection_keepalive to the servers",
    experiment: "paused-server",
    find: ({ clusters, managers }) =>
      clusters
        .filter(({ isRouted, http2 }) =>
          isRouted && http2["connection_keepalive"] === undefined
        )
        .filter(({ name }) =>
          !managers.flatMap(({ routes }) => routes).some(({ action }) =>
            action["cluster"] === name &&
            at(action, "retry_policy", "per_try_timeout") !== undefined
          )
        )
        .map(({ name }) => ({
          field: `cluster "${name}": http2_protocol_options.` +
            "connection_keepalive",
          now: "not set",
        })),
  },
  {
    id: "slow-headers",
    why: "A caller may hold a stream by never finishing its headers; " +
      "set it to a few seconds",
    experiment: "slowloris",
    find: inManagers(
      ["request_headers_timeout"],
      (value) => (durationMs(value) ?? 0) > 0,
    ),
  },
  {
    id: "no-connection-limit",
    why: "Callers may open connections until Envoy runs out of descriptors; " +
      "add the global_downstream_max_connections monitor",
    experiment: "slowloris",
    find: (model) =>
      limitsConnections(model) ? [] : [{
        field: "overload_manager.resource_monitors",
        now: "no limit on connections",
      }],
  },
];
