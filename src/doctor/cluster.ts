/** What a cluster is, whatever spelling it has. */
import { hostPort } from "../core/values.ts";
import type { Message, Place } from "./message.ts";

/** How Envoy finds a cluster's servers. */
export type Discovery =
  | "static"
  | "strict-dns"
  | "logical-dns"
  | "eds"
  | "other";

/** What Envoy speaks to a cluster's servers. */
export type UpstreamProtocol = "http1" | "http2" | "negotiated";

/** How Envoy chooses a server for a call. */
export interface Balancing {
  /** As "lb_policy" names it, for example "ROUND_ROBIN". */
  readonly policy: string;
  /** Its settings; undefined if there are none. */
  readonly settings: Message | undefined;
  /** Where the policy is chosen, or would be. */
  readonly place: Place;
}

/** A cluster that calls or connections go to. */
export interface Cluster {
  readonly name: string;
  readonly message: Message;
  readonly discovery: Discovery;
  /** Where the DNS settings are: the cluster itself, or its extension. */
  readonly dns: Message;
  /** "host:port" of its servers, or of the names that stand for them. */
  readonly addresses: readonly string[];
  readonly healthChecks: readonly Message[];
  readonly balancing: Balancing;
  readonly protocol: UpstreamProtocol;
  /** HTTP/2 options of its connections, and where they are or would be. */
  readonly http2: Message | undefined;
  readonly http2Place: Place;
}

/** How often Envoy asks DNS unless told otherwise. */
const DNS_REFRESH_MS_DEFAULT = 5000;

const DISCOVERY: Readonly<Record<string, Discovery>> = {
  STATIC: "static",
  STRICT_DNS: "strict-dns",
  LOGICAL_DNS: "logical-dns",
  EDS: "eds",
};

/**
 * Reads a cluster.
 *
 * @param assignment Its endpoints, if discovery has given them.
 */
export function clusterOf(
  message: Message,
  assignment: Message | undefined,
): Cluster {
  const extension = message.message("cluster_type.typed_config");
  const dns = extension?.is("DnsCluster") ? extension : message;
  const http = httpOptions(message);
  const endpoints = assignment ?? message.message("load_assignment");
  return {
    name: message.text("name") ?? "",
    message,
    discovery: discoveryOf(message, extension),
    dns,
    addresses: endpoints === undefined ? [] : addressesIn(endpoints),
    healthChecks: message.messages("health_checks"),
    balancing: balancingOf(message),
    protocol: protocolOf(message, http),
    ...http2Of(message, http),
  };
}

/** Policies that choose a locality or a subset, and what chooses in there. */
const INNER_POLICIES = ["endpoint_picking_policy", "subset_lb_policy"];

/** Envoy uses the first policy that it knows, and "lb_policy" without any. */
function balancingOf(
  message: Message,
  path = "load_balancing_policy",
): Balancing {
  const settings = message.messages(`${path}.policies`)
    .map((one) => one.message("typed_extension_config.typed_config"))
    .find((config) => config !== undefined && !config.isOpaque);
  if (settings === undefined) {
    const policy = message.text("lb_policy") ?? "ROUND_ROBIN";
    return {
      policy,
      settings: message.message(`${policy.toLowerCase()}_lb_config`),
      place: message.where("lb_policy"),
    };
  }
  const inner = INNER_POLICIES.find((one) => settings.has(one));
  if (inner !== undefined) return balancingOf(settings, inner);
  const [, name = ""] =
    /\.load_balancing_policies\.(\w+)\./.exec(settings.type) ??
      [];
  return { policy: name.toUpperCase(), settings, place: settings.place };
}

/** Names of "cluster_type" that stand for a type. */
const NAMED_TYPE = /^envoy\.cluster\.(\w+)$/;

function discoveryOf(
  message: Message,
  extension: Message | undefined,
): Discovery {
  if (!message.has("cluster_type")) {
    return DISCOVERY[message.text("type") ?? "STATIC"] ?? "other";
  }
  const [, named = ""] =
    NAMED_TYPE.exec(message.text("cluster_type.name") ?? "") ?? [];
  if (extension === undefined || extension.is("Empty")) {
    return DISCOVERY[named.toUpperCase()] ?? "other";
  }
  if (!extension?.is("DnsCluster")) return "other";
  return extension.flag("all_addresses_in_single_endpoint") === true
    ? "logical-dns"
    : "strict-dns";
}

/** The milliseconds between two questions to DNS. */
export function refreshMs({ dns }: Cluster): number {
  return dns.number("dns_refresh_rate") ?? DNS_REFRESH_MS_DEFAULT;
}

export function asksDns({ discovery }: Cluster): boolean {
  return discovery === "strict-dns" || discovery === "logical-dns";
}

/** Envoy looks options up by the type of the message, whatever its key. */
function httpOptions(message: Message): Message | undefined {
  return [...message.map("typed_extension_protocol_options").values()]
    .map(({ value }) => value as Message)
    .find((options) => options.is("HttpProtocolOptions"));
}

/** The options of each way to choose a protocol. */
const HTTP2_PATHS = [
  "explicit_http_config.http2_protocol_options",
  "auto_config.http2_protocol_options",
  "use_downstream_protocol_config.http2_protocol_options",
];

function protocolOf(
  message: Message,
  http: Message | undefined,
): UpstreamProtocol {
  if (http !== undefined) {
    if (!http.has("explicit_http_config")) return "negotiated";
    return http.has("explicit_http_config.http2_protocol_options") ||
        http.has("explicit_http_config.http3_protocol_options")
      ? "http2"
      : "http1";
  }
  if (message.text("protocol_selection") === "USE_DOWNSTREAM_PROTOCOL") {
    return "negotiated";
  }
  return message.has("http2_protocol_options") ? "http2" : "http1";
}

/** Whether it is for web pages: HTTP/1.1 is chosen, or a page is its check. */
export function isForPages(
  { protocol, message, healthChecks }: Cluster,
): boolean {
  return protocol === "http1" &&
    (message.has("http_protocol_options") ||
      httpOptions(message)?.has("explicit_http_config") === true ||
      healthChecks.some((check) => check.has("http_health_check")));
}

function http2Of(
  message: Message,
  http: Message | undefined,
): Pick<Cluster, "http2" | "http2Place"> {
  if (http === undefined) {
    const http2 = message.message("http2_protocol_options");
    const http2Place = http2?.place ??
      message.where("typed_extension_protocol_options");
    return { http2, http2Place };
  }
  const path = HTTP2_PATHS.find((one) => http.has(one)) ??
    HTTP2_PATHS.find((one) => http.has(one.split(".")[0] ?? "")) ??
    "explicit_http_config.http2_protocol_options";
  return { http2: http.message(path), http2Place: http.where(path) };
}

/** The addresses of all endpoints; a pipe's is its path. */
function addressesIn(assignment: Message): readonly string[] {
  return assignment.messages("endpoints")
    .flatMap((group) => group.messages("lb_endpoints"))
    .map((one) => addressIn(one.message("endpoint.address")))
    .filter((address) => address !== undefined);
}

/** An address as text. */
export function addressIn(address: Message | undefined): string | undefined {
  const host = address?.text("socket_address.address");
  return host === undefined
    ? address?.text("pipe.path")
    : hostPort(host, address?.number("socket_address.port_value") ?? 0);
}
