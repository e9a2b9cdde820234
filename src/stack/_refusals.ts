/**
 * Configurations that Envoy refuses, with its complaint about each, for tests.
 */
import { partAt, type Step } from "../core/yaml.ts";
import type { EnvoyConfig } from "./envoy_config.ts";

/** What is wrong with a configuration. */
export interface Refused {
  readonly what: string;
  /** The path in envoy.yaml that is changed. */
  readonly path: readonly Step[];
  /** The new value; undefined removes the old one. */
  readonly value: unknown;
  /** Envoy 1.40's complaint, without the configurations that it quotes. */
  readonly message: string;
  /** Our explanation of it. */
  readonly says: string;
}

/** Turns a configuration into one that Envoy refuses. */
export function spoil(config: EnvoyConfig, { path, value }: Refused): void {
  const last = path.at(-1) ?? "";
  const part = partAt(config, ...path.slice(0, -1));
  if (value !== undefined) part[last] = value;
  else if (Array.isArray(part)) part.splice(Number(last), 1);
  else delete part[last];
}

const MANAGER = [
  ...["static_resources", "listeners", "grpc"],
  ...["filter_chains", 0, "filters", 0, "typed_config"],
] as const;
const UNARY = ["route_config", "virtual_hosts", 0, "routes", "unary"] as const;
const CLUSTER = ["static_resources", "clusters", "grpc-server"] as const;

/** One complaint of each kind. */
export const REFUSALS: readonly Refused[] = [
  {
    what: "a value that an enumeration does not have",
    path: [...CLUSTER, "lb_policy"],
    value: "ROUND_ROBBIN",
    message:
      "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: unknown enum value: 'ROUND_ROBBIN') has unknown fields",
    says:
      'cluster "grpc-server", field lb_policy: "ROUND_ROBBIN" is not a valid value',
  },
  {
    what: "another such value, deep inside",
    path: [...MANAGER, "codec_type"],
    value: "HTTP7",
    message:
      "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: unknown enum value: 'HTTP7') has unknown fields",
    says:
      'listener "grpc", filter "envoy.filters.network.http_connection_manager", field typed_config.codec_type: "HTTP7" is not a valid value',
  },
  {
    what: "a number that an enumeration does not have",
    path: [...CLUSTER, "lb_policy"],
    value: 77,
    message:
      ": Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Clusters[0]: embedded message failed validation | caused by ClusterValidationError.LbPolicy: value must be one of the defined enum values)",
    says:
      'cluster "grpc-server", field lb_policy is 77: value must be one of the defined enum values',
  },
  {
    what: "an unknown field at the top",
    path: ["admn"],
    value: {},
    message:
      "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap, near 1:9 (offset 8): no such field: 'admn') has unknown fields",
    says: "field admn: there is no such field",
  },
  {
    what: "an unknown field of a cluster",
    path: [...CLUSTER, "conect_timeout"],
    value: "1s",
    message:
      "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.clusters[0]: message envoy.config.cluster.v3.Cluster, near 1:12989 (offset 12988): no such field: 'conect_timeout') has unknown fields",
    says: 'cluster "grpc-server", field conect_timeout: there is no such field',
  },
  {
    what: "an unknown field of a route",
    path: [...MANAGER, ...UNARY, "route", "retry_polcy"],
    value: {},
    message:
      "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: invalid JSON in   envoy.config.bootstrap.v3.Bootstrap @  static_resources.listeners[0].filter_chains[0].filters[0].typed_config.<any>.route_config.virtual_hosts[0].routes[2].route: message envoy.config.route.v3.RouteAction,   near 1:3397 (offset  3396): no such field: 'retry_polcy') has unknown fields",
    says:
      'listener "grpc", route "unary", field route.retry_polcy: there is no such field',
  },
  {
    what: "a duration without its unit",
    path: [...CLUSTER, "connect_timeout"],
    value: "5",
    message:
      "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON  in envoy.config.bootstrap.v3.Bootstrap  @ static_resources.clusters[0].connect_timeout: message google.protobuf.Duration, near 1:1962 (offset  1961): duration must end  with  a single 's'): {\"admin\":{}}",
    says:
      'cluster "grpc-server", field connect_timeout is "5": duration must end with a single \'s\'',
  },
  {
    what: "a duration below 0",
    path: [...CLUSTER, "connect_timeout"],
    value: "-1s",
    message:
      "Invalid duration: Expected positive duration: goo.gle/debugstr  \nseconds: -1",
    says: "Invalid duration: Expected positive duration: seconds: -1",
  },
  {
    what: "a duration of 0",
    path: [...CLUSTER, "connect_timeout"],
    value: "0s",
    message:
      ": Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Clusters[0]: embedded message failed validation | caused by ClusterValidationError.ConnectTimeout: value must be greater than 0s)",
    says:
      'cluster "grpc-server", field connect_timeout is "0s": value must be greater than 0s',
  },
  {
    what: "a word in place of a number",
    path: [
      "static_resources",
      "listeners",
      "grpc",
      "per_connection_buffer_limit_bytes",
    ],
    value: "many",
    message:
      "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.listeners[0].per_connection_buffer_limit_bytes: message google.protobuf.UInt32Value, near 1:5180 (offset 5179): invalid number: 'many'): {\"admin\":{}}",
    says:
      'listener "grpc", field per_connection_buffer_limit_bytes is "many": invalid number: \'many\'',
  },
  {
    what: "a list in place of fields",
    path: [...CLUSTER, "outlier_detection"],
    value: [],
    message:
      "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.clusters[0].outlier_detection: message envoy.config.cluster.v3.OutlierDetection, near 1:2248 (offset 2247): unexpected character: '['; expected '{'): {\"admin\":{}}",
    says:
      "cluster \"grpc-server\", field outlier_detection: unexpected character: '['; expected '{'",
  },
  {
    what: "fields in place of a list",
    path: [...CLUSTER, "health_checks"],
    value: {},
    message:
      ": Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Clusters[0]: embedded message failed validation | caused by ClusterValidationError.HealthChecks[0]: embedded message failed validation | caused by HealthCheckValidationError.Timeout: value is required)",
    says:
      'cluster "grpc-server", field health_checks[0].timeout: value is required',
  },
  {
    what: "a word in place of fields",
    path: [...MANAGER, "route_config"],
    value: "x",
    message:
      "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.listeners[0].filter_chains[0].filters[0].typed_config.<any>.route_config: message envoy.config.route.v3.RouteConfiguration, near 1:5692 (offset 5691): unexpected character: '\"'; expected '{'): {\"admin\":{}}",
    says:
      'listener "grpc", filter "envoy.filters.network.http_connection_manager", field typed_config.route_config is "x": unexpected character: \'"\'; expected \'{\'',
  },
  {
    what: "two of which one is possible",
    path: [...MANAGER, ...UNARY, "match", "path"],
    value: "/x",
    message:
      "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.listeners[0].filter_chains[0].filters[0].typed_config.<any>.route_config.virtual_hosts[0].routes[2].match.path: string, near 1:6639 (offset 6638): 'path' has already been set (either directly or as part of a oneof)): {\"admin\":{}}",
    says:
      'listener "grpc", route "unary", field match: of prefix, grpc, path, two exclude each other',
  },
  {
    what: "a name that is empty",
    path: [...MANAGER, "stat_prefix"],
    value: "",
    message:
      ": Proto constraint validation failed (HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 characters)",
    says:
      'listener "grpc", filter "envoy.filters.network.http_connection_manager", field typed_config.stat_prefix is "": value length must be at least 1 characters',
  },
  {
    what: "a number that is too large",
    path: [...CLUSTER, "outlier_detection", "max_ejection_percent"],
    value: 400,
    message:
      ": Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Clusters[0]: embedded message failed validation | caused by ClusterValidationError.OutlierDetection: embedded message failed validation | caused by OutlierDetectionValidationError.MaxEjectionPercent: value must be less than or equal to 100)",
    says:
      'cluster "grpc-server", field outlier_detection.max_ejection_percent is 400: value must be less than or equal to 100',
  },
  {
    what: "a field that is missing",
    path: [...CLUSTER, "health_checks", 0, "interval"],
    value: undefined,
    message:
      ": Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Clusters[0]: embedded message failed validation | caused by ClusterValidationError.HealthChecks[0]: embedded message failed validation | caused by HealthCheckValidationError.Interval: value is required)",
    says:
      'cluster "grpc-server", field health_checks[0].interval: value is required',
  },
  {
    what: "a number that is too small",
    path: [...MANAGER, "http2_protocol_options", "max_concurrent_streams"],
    value: 0,
    message:
      ": Proto constraint validation failed (HttpConnectionManagerValidationError.Http2ProtocolOptions: embedded message failed validation | caused by Http2ProtocolOptionsValidationError.MaxConcurrentStreams: value must be inside range [1, 2147483647])",
    says:
      'listener "grpc", filter "envoy.filters.network.http_connection_manager", field typed_config.http2_protocol_options.max_concurrent_streams is 0: value must be inside range [1, 2147483647]',
  },
  {
    what: "a list that is empty",
    path: [...MANAGER, "route_config", "virtual_hosts", 0, "domains"],
    value: [],
    message:
      ": Proto constraint validation failed (HttpConnectionManagerValidationError.RouteConfig: embedded message failed validation | caused by RouteConfigurationValidationError.VirtualHosts[0]: embedded message failed validation | caused by VirtualHostValidationError.Domains: value must contain at least 1 item(s))",
    says:
      'listener "grpc", virtual host "grpc", field domains: value must contain at least 1 item(s)',
  },
  {
    what: "a route that leads nowhere",
    path: [...MANAGER, ...UNARY, "route"],
    value: undefined,
    message:
      ': Proto constraint validation failed (HttpConnectionManagerValidationError.RouteConfig: embedded message failed validation | caused by RouteConfigurationValidationError.VirtualHosts[0]: embedded message failed validation | caused by VirtualHostValidationError.Routes[2]: embedded message failed validation | caused by field: "action", reason: is required)',
    says:
      "HttpConnectionManager, field route_config.virtual_hosts[0].routes[2].action: is required",
  },
  {
    what: "a listener without an address",
    path: ["static_resources", "listeners", "admin", "address"],
    value: {},
    message:
      ': Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Listeners[2]: embedded message failed validation | caused by ListenerValidationError.Address: embedded message failed validation | caused by field: "address", reason: is required)',
    says: 'listener "admin", field address.address: is required',
  },
  {
    what: "an address without a port",
    path: [
      "static_resources",
      "listeners",
      "admin",
      "address",
      "socket_address",
      "port_value",
    ],
    value: undefined,
    message:
      ': Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Listeners[2]: embedded message failed validation | caused by ListenerValidationError.Address: embedded message failed validation | caused by AddressValidationError.SocketAddress: embedded message failed validation | caused by field: "port_specifier", reason: is required)',
    says:
      'listener "admin", field address.socket_address.port_specifier: is required',
  },
  {
    what: "an address that is none",
    path: [
      "static_resources",
      "listeners",
      "admin",
      "address",
      "socket_address",
      "address",
    ],
    value: "nowhere",
    message: "malformed IP address: nowhere",
    says:
      'listener "admin", field address.socket_address.address: malformed IP address: nowhere',
  },
  {
    what: "a name where an address must be",
    path: [...CLUSTER, "type"],
    value: "STATIC",
    message:
      "malformed IP address: grpc-server. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'",
    says:
      `cluster "grpc-server", field load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: malformed IP address: grpc-server. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'`,
  },
  {
    what: "an extension of an unknown type",
    path: [...MANAGER, "http_filters", 1, "typed_config", "@type"],
    value: "type.googleapis.com/envoy.extensions.filters.http.rooter.v3.Router",
    message:
      "Unable to parse JSON as proto (INVALID_ARGUMENT: could not find @type 'type.googleapis.com/envoy.extensions.filters.http.rooter.v3.Router'): {\"admin\":{}}",
    says:
      'listener "grpc", http filter "envoy.filters.http.router", field typed_config.@type: "type.googleapis.com/envoy.extensions.filters.http.rooter.v3.Router" is not a type that Envoy knows',
  },
  {
    what: "an extension without a type",
    path: [...MANAGER, "@type"],
    value: undefined,
    message:
      'Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap @ static_resources.listeners[0].filter_chains[0].filters[0].typed_config: message google.protobuf.Any, near 1:4695 (offset 4694): in legacy mode, missing @type in Any is only allowed for an empty object): {"admin":{}}',
    says:
      'listener "grpc", filter "envoy.filters.network.http_connection_manager", field typed_config: in legacy mode, missing @type in Any is only allowed for an empty object',
  },
  {
    what: "an extension of an unknown name",
    path: [...MANAGER, "http_filters", 0],
    value: { "name": "envoy.filters.http.nope" },
    message:
      "Didn't find a registered implementation for 'envoy.filters.http.nope' with type URL: ''",
    says:
      "listener \"grpc\", http filter \"envoy.filters.http.nope\", field name: Didn't find a registered implementation for 'envoy.filters.http.nope' with type URL: ''",
  },
  {
    what: "a kind of cluster that needs more",
    path: [...CLUSTER, "type"],
    value: "EDS",
    message: "cannot create an EDS cluster without an EDS config",
    says: "cannot create an EDS cluster without an EDS config",
  },
  {
    what: "a chain of filters without its end",
    path: [...MANAGER, "http_filters", 1],
    value: undefined,
    message:
      "Error: non-terminal filter named envoy.filters.http.rbac of type envoy.filters.http.rbac is the last filter in a http filter chain.",
    says:
      "non-terminal filter named envoy.filters.http.rbac of type envoy.filters.http.rbac is the last filter in a http filter chain",
  },
  {
    what: "two clusters of one name",
    path: ["static_resources", "clusters", 3],
    value: { "name": "grpc-server" },
    message: "cluster manager: duplicate cluster 'grpc-server'",
    says: "cluster manager: duplicate cluster 'grpc-server'",
  },
  {
    what: "a listener without filters",
    path: ["static_resources", "listeners", "grpc", "filter_chains"],
    value: undefined,
    message:
      "error adding listener '127.0.0.1:15900': no filter chains specified",
    says:
      "listener \"grpc\", field address.socket_address: error adding listener '127.0.0.1:15900': no filter chains specified",
  },
  {
    what: "a route to an unknown cluster",
    path: [...MANAGER, ...UNARY, "route", "cluster"],
    value: "nowhere",
    message: "route: unknown cluster 'nowhere'",
    says:
      'listener "grpc", route "unary", field route.cluster: route: unknown cluster \'nowhere\'',
  },
  {
    what: "a bad regular expression",
    path: [...MANAGER, ...UNARY, "match"],
    value: { "safe_regex": { "regex": "(" } },
    message: "missing ): (",
    says:
      'listener "grpc", route "unary", field match.safe_regex.regex: missing ): (',
  },
  {
    what: "a bad format of the access log",
    path: [
      ...MANAGER,
      "access_log",
      0,
      "typed_config",
      "log_format",
      "text_format_source",
      "inline_string",
    ],
    value: "%NOPE%",
    message: "Not supported field in StreamInfo: NOPE",
    says: "Not supported field in StreamInfo: NOPE",
  },
  {
    what: "two layers of one name",
    path: ["layered_runtime", "layers", 1],
    value: { "name": "static", "static_layer": {} },
    message: "Duplicate layer name: static",
    says: "Duplicate layer name: static",
  },
];
