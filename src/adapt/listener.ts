/** The listener of a local run, from what a call takes in any configuration. */
import { at, type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import { addressIn } from "../doctor/cluster.ts";
import { ofListener, ofRoute, quoted } from "../doctor/rule.ts";
import {
  GRPC_CLUSTER,
  GRPC_LISTENER,
  type Listener,
} from "../stack/envoy_config.ts";
import type { Notes } from "./_notes.ts";
import { type Call, OUR_SERVICE, targetsOf } from "./call.ts";
import { dropSettings, keptFilters } from "./filters.ts";
import { jsonOf } from "./json.ts";

/** What a listener keeps. */
const OF_LISTENER = [
  "per_connection_buffer_limit_bytes",
  "drain_type",
  "listener_filters",
  "listener_filters_timeout",
  "continue_on_listener_filters_timeout",
  "traffic_direction",
  "connection_balance_config",
  "enable_reuse_port",
  "tcp_backlog_size",
  "max_connections_to_accept_per_socket_event",
  "ignore_global_conn_limit",
  "bypass_overload_manager",
  "tcp_keepalive",
];

/** Listener filters that read no more than a connection's first bytes. */
const LISTENER_FILTERS = /\.(http_inspector|tls_inspector|local_ratelimit)\./;

/** What of a connection manager leads elsewhere. */
const NOT_OF_MANAGER = [
  "tracing",
  "access_log_options",
  "http3_protocol_options",
  "set_current_client_cert_details",
  "forward_client_cert_details",
];

/** What of a route leads elsewhere, or renames what is called. */
const NOT_OF_ACTION = [
  "prefix_rewrite",
  "regex_rewrite",
  "path_rewrite",
  "path_rewrite_policy",
  "metadata_match",
  "request_mirror_policies",
];

/**
 * The listener that a call takes, with what this machine has: its name and its
 * address are envoy.yaml's.
 *
 * @param ours That of envoy.yaml, whose place it takes.
 * @param names The clusters' names in the local run, by their own.
 */
export function localListener(
  ours: Listener,
  call: Call,
  names: ReadonlyMap<string, string>,
  notes: Notes,
): Fields {
  const { listener, chain } = call.route.manager;
  const of = ofListener(listener);
  const own = jsonOf(listener);
  const filters = listOf(own["listener_filters"]);
  const kept = filters.filter((filter) =>
    LISTENER_FILTERS.test(String(at(filter, "typed_config", "@type")))
  );
  filters.filter((one) => !kept.includes(one)).forEach(({ name }) =>
    notes.add(of, `without the listener filter ${name}`)
  );
  if (filters.length > 0) own["listener_filters"] = kept;
  if (own["name"] !== GRPC_LISTENER) {
    notes.add(of, `is called "${GRPC_LISTENER}"`);
  }
  const address = addressIn(listener.message("address"));
  notes.add(of, `listens on this machine only, in place of ${address}`);
  if (chain.has("transport_socket")) {
    notes.add(of, "without its TLS: calls come in plain text");
  }
  const chains = listOf(own["filter_chains"]).length +
    (own["default_filter_chain"] === undefined ? 0 : 1);
  if (chains > 1) {
    notes.add(
      of,
      `only the one of its ${chains} filter chains that calls take`,
    );
  }
  const others = chain.messages("filters").length - 1;
  if (others > 0) {
    notes.add(of, "without the network filters before its connection manager");
  }
  const known = [
    ...OF_LISTENER,
    ...["name", "address", "filter_chains", "default_filter_chain"],
    ...["metadata", "stat_prefix"],
  ];
  notes.leaveOut(
    own,
    Object.keys(own).filter((field) => !known.includes(field)),
    of,
  );
  return {
    name: GRPC_LISTENER,
    address: ours.address,
    filter_chains: [{
      filters: [{
        name: "envoy.filters.network.http_connection_manager",
        typed_config: localManager(ours, call, names, of, notes),
      }],
    }],
    ...Object.fromEntries(
      OF_LISTENER.filter((name) => Object.hasOwn(own, name))
        .map((name) => [name, own[name]]),
    ),
  };
}

function localManager(
  ours: Listener,
  call: Call,
  names: ReadonlyMap<string, string>,
  of: string,
  notes: Notes,
): Fields {
  const { message } = call.route.manager;
  const fields = jsonOf(message);
  notes.leaveOut(fields, NOT_OF_MANAGER, of);
  notes.add(of, "writes its access log as envoy.yaml does");
  const filters = keptFilters(fields["http_filters"], of, notes);
  const kept = new Set(filters.map(({ name }) => String(name)));
  delete fields["rds"];
  delete fields["scoped_routes"];
  return {
    "@type": `type.googleapis.com/${message.type}`,
    ...fields,
    stat_prefix: GRPC_LISTENER,
    access_log: at(
      ours,
      ...["filter_chains", 0, "filters", 0, "typed_config", "access_log"],
    ),
    http_filters: filters,
    route_config: localRoutes(call, names, kept, notes),
  };
}

function localRoutes(
  call: Call,
  names: ReadonlyMap<string, string>,
  kept: ReadonlySet<string>,
  notes: Notes,
): Fields {
  const { route, service, isMatchReplaced, others } = call;
  const of = ofRoute(route);
  if (isMatchReplaced) {
    notes.add(of, `takes every call of ${OUR_SERVICE}, whatever it matched`);
  } else if (service !== undefined && service !== OUR_SERVICE) {
    notes.add(of, `calls of ${OUR_SERVICE} stand for those of ${service}`);
  }
  const whole = jsonOf(route.virtualHost);
  if (others.length > 0) {
    notes.add(
      `virtual host "${whole["name"]}"`,
      `without the routes that these calls do not take: ${others.join(", ")}`,
    );
  }
  const domains = whole["domains"] as readonly unknown[] | undefined;
  if (domains?.includes("*") !== true) {
    notes.add(
      `virtual host "${whole["name"]}"`,
      `answers to every name, not only to ${domains?.join(", ")}`,
    );
  }
  const host: Fields = { ...whole, name: GRPC_LISTENER, domains: ["*"] };
  delete host["matcher"]; // Its routes are in the list.
  const ofHost = `virtual host ${quoted(String(whole["name"]))}`;
  notes.leaveOut(host, ["require_tls", "request_mirror_policies"], ofHost);
  dropSettings(host, kept);
  const routes = call.routes.map((one) => localRoute(one, names, kept, notes));
  // Changes look for a route's own policy, which replaces that of its host.
  const { retry_policy: policy, ...rest } = host;
  for (const action of routes.map((one) => fieldsOf(one["route"]))) {
    if (policy !== undefined) action["retry_policy"] ??= policy;
  }
  return { name: GRPC_LISTENER, virtual_hosts: [{ ...rest, routes }] };
}

function localRoute(
  route: Fields,
  names: ReadonlyMap<string, string>,
  kept: ReadonlySet<string>,
  notes: Notes,
): Fields {
  dropSettings(route, kept);
  if (!Object.hasOwn(route, "route")) return route;
  const action = fieldsOf(route["route"]);
  const of = ofRoute({ name: String(route["name"] ?? "") });
  notes.leaveOut(action, NOT_OF_ACTION, of);
  const [target = "", ...lighter] = targetsOf(action);
  if (lighter.length > 0) {
    notes.add(of, `only the heaviest of its clusters, "${target}"`);
  }
  delete action["weighted_clusters"];
  // An aggregate is not a cluster of servers itself.
  if (!names.has(target)) {
    notes.add(of, `the first cluster of unary calls in place of "${target}"`);
  }
  action["cluster"] = names.get(target) ?? GRPC_CLUSTER;
  return route;
}
