/** Pitfalls of ejection, limits, TLS and what faces the callers. */
import { type Message, messagesIn } from "./message.ts";
import { type Model, runtimeFlag, runtimeNumber } from "./model.ts";
import type { Manager } from "./route.ts";
import { addressIn, type Cluster } from "./cluster.ts";
import {
  type Finding,
  finding,
  ofCluster,
  ofListener,
  type Rule,
} from "./rule.ts";

/** The share of one server in a small cluster of three. */
const ONE_OF_THREE_PERCENT = 34;

/** At most this share is ejected, unless set. */
const EJECTION_PERCENT_DEFAULT = 10;

/** What gRPC allows by convention for the metadata of a call. */
const METADATA_KB = 8;

/** How many headers Envoy takes, unless set. */
const HEADERS_DEFAULT = 100;

function inOutlierDetection(
  field: string,
  isFault: (
    number: (field: string) => number | undefined,
    cluster: Cluster,
    detection: Message,
  ) => boolean,
): Rule["find"] {
  return (model) =>
    model.clusters.flatMap((cluster) => {
      const detection = cluster.message.message("outlier_detection");
      const number = (field: string) =>
        runtimeNumber(model, `outlier_detection.${field}`) ??
          detection?.number(field);
      return detection === undefined || !isFault(number, cluster, detection)
        ? []
        : [finding(ofCluster(cluster), detection, field)];
    });
}

function inManagers(
  path: string,
  isFault: (manager: Manager) => boolean,
): Rule["find"] {
  return ({ managers }) =>
    managers.filter(isFault).map(({ listener, message }) =>
      finding(ofListener(listener), message, path)
    );
}

/** Whether one server may be ejected. */
function ejectsOne(
  percent: number,
  detection: Message,
  { addresses, discovery }: Cluster,
): boolean {
  const isKnown = discovery === "static" || discovery === "eds";
  const needed = isKnown && addresses.length > 0
    ? 100 / addresses.length
    : ONE_OF_THREE_PERCENT;
  return percent >= needed || detection.flag("always_eject_one_host") === true;
}

/** Listeners whose connections from callers are not limited. */
function withoutConnectionLimit(model: Model): readonly Finding[] {
  const { bootstrap, managers, runtime } = model;
  const isLimited = runtime.has("overload.global_downstream_max_connections") ||
    bootstrap.messages("overload_manager.resource_monitors").some((monitor) =>
      (monitor.number(
        "typed_config.max_active_downstream_connections",
      ) ?? 0) > 0
    );
  if (isLimited) return [];
  const open = managers.find(({ listener, chain }) => {
    const name = listener.text("name") ?? "";
    return !runtime.has(
      `envoy.resource_limits.listener.${name}.connection_limit`,
    ) &&
      !chain.messages("filters").some((filter) =>
        filter.message("typed_config")?.is("ConnectionLimit")
      );
  });
  return open === undefined ? [] : [finding(
    ofListener(open.listener),
    bootstrap,
    "overload_manager.resource_monitors",
    "without a limit on connections",
  )];
}

/** The TLS contexts of a filter chain or a cluster, other sockets' too. */
function tlsIn(message: Message): readonly Message[] {
  return [
    ...[message.message("transport_socket")].filter((one) => one !== undefined),
    ...message.messages("transport_socket_matches"),
  ].flatMap(messagesIn)
    .map((one) => one.message("common_tls_context"))
    .filter((tls) => tls !== undefined);
}

/** All TLS contexts that gRPC calls meet, and what they belong to. */
function tlsContexts(
  { managers, clusters }: Model,
): readonly (readonly [string, Message])[] {
  return [
    ...managers.flatMap(({ listener, chain }) =>
      tlsIn(chain).map((tls) => [ofListener(listener), tls] as const)
    ),
    ...clusters.flatMap((cluster) =>
      tlsIn(cluster.message).map((tls) => [ofCluster(cluster), tls] as const)
    ),
  ];
}

/** Listeners with TLS, of which callers do not choose HTTP/2. */
function withoutH2({ managers }: Model): readonly Finding[] {
  return managers.flatMap(({ listener, chain }) => {
    const socket = chain.message("transport_socket.typed_config");
    // HTTP/3 has a name of its own, which Envoy adds.
    return socket?.is("QuicDownstreamTransport")
      ? []
      : tlsIn(chain).filter((tls) =>
        !tls.list("alpn_protocols").some(({ value }) =>
          String(value).split(",").includes("h2")
        )
      ).map((tls) =>
        finding(
          ofListener(listener),
          tls,
          "alpn_protocols",
          tls.has("alpn_protocols") ? "without h2" : "not set",
        )
      );
  });
}

const CERTIFICATES_BY_SDS = "tls_certificate_sds_secret_configs";

/** Finds certificates that Envoy reads once only. */
function fixedCertificates(model: Model): readonly Finding[] {
  return tlsContexts(model).flatMap(([of, tls]) => {
    if (tls.list("tls_certificates").length > 0) {
      return [finding(of, tls, "tls_certificates", "in the context")];
    }
    return tls.messages(CERTIFICATES_BY_SDS)
      .filter((config) => !config.has("sds_config"))
      .map((config) =>
        finding(of, config, "sds_config", "not set, so that it is a static one")
      );
  });
}

/** What a context asks SDS for. */
function sdsConfigs(tls: Message): readonly Message[] {
  const path = "validation_context_sds_secret_config";
  return [
    ...tls.messages(CERTIFICATES_BY_SDS),
    ...[tls.message(path), tls.message(`combined_validation_context.${path}`)]
      .filter((config) => config !== undefined),
  ];
}

/** Whether a secret names files, which Envoy watches for themselves. */
function namesFiles(secret: Message): boolean {
  return secret.has("tls_certificate.certificate_chain.filename") ||
    secret.has("validation_context.trusted_ca.filename");
}

/** Finds secrets that a moved link renews, unnoticed. */
function unwatchedSecrets(model: Model): readonly Finding[] {
  return tlsContexts(model).flatMap(([of, tls]) =>
    sdsConfigs(tls).flatMap((config) => {
      const source = config.message("sds_config");
      const isFile = source?.has("path_config_source") || source?.has("path");
      const path = "path_config_source.watched_directory";
      const secret = model.secretOf(config);
      return source === undefined || !isFile || source.has(path) ||
          secret !== undefined && namesFiles(secret)
        ? []
        : [finding(of, source, path)];
    })
  );
}

/** Whether an address is reached from this machine only. */
function isLoopback(address: Message): boolean {
  const host = address.text("socket_address.address");
  if (host === undefined) return true;
  const url = `http://${host.includes(":") ? `[${host}]` : host}`;
  const { hostname = host } = URL.parse(url) ?? {};
  // The second is an IPv4 address in IPv6, where 127 is 7f.
  return /^(127\..*|\[::ffff:7f..:.*\]|\[::1\]|localhost)$/.test(hostname);
}

const MAX_REPLY_KB = "common_http_protocol_options.max_response_headers_kb";

const MAX_COUNT = "common_http_protocol_options.max_headers_count";

/** Finds those fields of a message that are below what gRPC needs. */
function below(
  of: string,
  message: Message,
  least: Readonly<Record<string, number>>,
): readonly Finding[] {
  return Object.entries(least)
    .filter(([path, value]) => (message.number(path) ?? value) < value)
    .map(([path]) => finding(of, message, path));
}

/** Limits of headers that metadata of callers or of replies may exceed. */
function smallHeaders({ managers, clusters }: Model): readonly Finding[] {
  const request = managers.flatMap(({ listener, message }) =>
    below(ofListener(listener), message, {
      max_request_headers_kb: METADATA_KB,
      [MAX_COUNT]: HEADERS_DEFAULT,
    })
  );
  const reply = clusters.flatMap(({ name, message }) => {
    const options = [
      ...message.map("typed_extension_protocol_options").values(),
    ].map(({ value }) => value as Message);
    // With an extension Envoy does not look at the cluster's own.
    return (options.length > 0 ? options : [message]).flatMap((one) =>
      below(ofCluster({ name }), one, {
        [MAX_REPLY_KB]: METADATA_KB,
        [MAX_COUNT]: HEADERS_DEFAULT,
      })
    );
  });
  return [...request, ...reply];
}

/** Clusters whose limit of connections is below what workers open anyway. */
function limitsOfWorkers(model: Model): readonly Finding[] {
  const { concurrency = 1 } = model.circumstances;
  if (concurrency <= 1) return [];
  return model.clusters.flatMap((cluster) =>
    cluster.message.messages("circuit_breakers.thresholds").filter((one) =>
      (one.number("max_connections") ?? Infinity) <
        concurrency * Math.max(1, cluster.addresses.length)
    ).map((one) => finding(ofCluster(cluster), one, "max_connections"))
  );
}

/** Round robin with several workers. */
function roundRobins({ circumstances, clusters }: Model): readonly Finding[] {
  const { concurrency = 1 } = circumstances;
  if (concurrency <= 1) return [];
  return clusters.filter(({ balancing }) => balancing.policy === "ROUND_ROBIN")
    .map((cluster) => ({
      of: ofCluster(cluster),
      place: cluster.balancing.place,
      now: `ROUND_ROBIN in each of ${concurrency} workers`,
    }));
}

/** Connections that never move to another Envoy. */
function fixedConnections({ circumstances, managers }: Model) {
  if (circumstances.envoys <= 1) return [];
  const path = "common_http_protocol_options.max_connection_duration";
  return managers.filter(({ message }) => !((message.number(path) ?? 0) > 0))
    .map(({ listener, message }) =>
      finding(ofListener(listener), message, path)
    );
}

/** The runtime flag that chooses another HTTP/2 library. */
const OGHTTP2_FLAG = "envoy.reloadable_features.http2_use_oghttp2";

/** Rules about failures, overload and what callers meet first. */
export const EDGE_RULES: readonly Rule[] = [
  {
    id: "ejects-nobody",
    severity: "wrong",
    why:
      "At most 10 % of the servers are ejected unless set, so one of three " +
      "never is; set max_ejection_percent to 34 or more",
    change: "max_ejection_percent: 67",
    experiment: "faulty-server",
    find: inOutlierDetection(
      "max_ejection_percent",
      (number, cluster, detection) =>
        !ejectsOne(
          number("max_ejection_percent") ?? EJECTION_PERCENT_DEFAULT,
          detection,
          cluster,
        ),
    ),
  },
  {
    id: "no-enforcing",
    severity: "wrong",
    why: "With both detectors at 0 a server that answers UNAVAILABLE is " +
      "never ejected; enforce one of them",
    change: "enforcing_consecutive_gateway_failure: 100",
    experiment: "faulty-server",
    find: inOutlierDetection(
      "enforcing_consecutive_gateway_failure",
      (number) =>
        (number("enforcing_consecutive_5xx") ?? 100) === 0 &&
        (number("enforcing_consecutive_gateway_failure") ?? 0) === 0,
    ),
  },
  {
    id: "check-unejects",
    severity: "risky",
    why:
      "A failing server whose health check passes returns at the next check " +
      "unless this is false",
    change: "successful_active_health_check_uneject_host: false",
    experiment: "faulty-server",
    find: inOutlierDetection(
      "successful_active_health_check_uneject_host",
      (_, { healthChecks }, detection) =>
        healthChecks.length > 0 &&
        detection.flag("successful_active_health_check_uneject_host") !== false,
    ),
  },
  {
    id: "slow-headers",
    severity: "risky",
    why: "A caller may hold a stream by never finishing its headers; " +
      "set it to a few seconds",
    change: "request_headers_timeout: 5s",
    experiment: "slowloris",
    find: inManagers(
      "request_headers_timeout",
      ({ message }) => !((message.number("request_headers_timeout") ?? 0) > 0),
    ),
  },
  {
    id: "no-connection-limit",
    severity: "risky",
    why: "Callers may open connections until Envoy runs out of descriptors; " +
      "add the global_downstream_max_connections monitor",
    change: `overload_manager:
  resource_monitors:
    - name: envoy.resource_monitors.global_downstream_max_connections
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig
        max_active_downstream_connections: 800`,
    experiment: "slowloris",
    find: withoutConnectionLimit,
  },
  {
    id: "admin-open",
    severity: "risky",
    why: "Whoever reaches the admin interface can read everything and stop " +
      "Envoy, as it asks for no password",
    change:
      "admin: { address: { socket_address: { address: 127.0.0.1, port_value: 9901 } } }",
    experiment: {
      instead:
        "curl http://this-machine:9901/config_dump from another machine shows everything",
    },
    find: ({ bootstrap }) => {
      const address = bootstrap.message("admin.address");
      return address === undefined || isLoopback(address)
        ? []
        : [finding("Envoy", bootstrap, "admin.address", addressIn(address))];
    },
  },
  {
    id: "no-alpn",
    severity: "wrong",
    why:
      "gRPC callers require that the server chooses h2 in the TLS handshake " +
      "(ALPN), and without it newer ones refuse the connection",
    change: "alpn_protocols: [h2]",
    experiment: "mutual-tls",
    find: withoutH2,
  },
  {
    id: "fixed-certificates",
    severity: "risky",
    why:
      "Envoy reads certificates in a TLS context once, and serves them after " +
      "they have expired; give them by SDS from a file, whose secret names the " +
      "folder to watch",
    change: `tls_certificate_sds_secret_configs:
  - name: server
    sds_config: { path_config_source: { path: /etc/envoy/server.yaml } }
# /etc/envoy/server.yaml; /certs is where files are renamed, or Kubernetes' link
resources:
  - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: server
    tls_certificate:
      certificate_chain: { filename: /certs/tls.crt }
      private_key: { filename: /certs/tls.key }
      watched_directory: { path: /certs }`,
    experiment: "certificate-rotation",
    find: fixedCertificates,
  },
  {
    id: "unwatched-secrets",
    severity: "risky",
    why:
      "Envoy reads this file again only if it is itself moved to its place, " +
      "and Kubernetes moves a link that leads to it, so that a renewed secret " +
      "is not read; name the folder of that link",
    change:
      "path_config_source: { path: /certs/sds.yaml, watched_directory: { path: /certs } }",
    experiment: {
      instead:
        "renew a Secret that is mounted with this file, and compare the " +
        "serial number in Envoy's /certs with that of the file",
    },
    find: unwatchedSecrets,
  },
  {
    id: "small-headers",
    severity: "risky",
    why: "gRPC allows 8 KiB of metadata by convention, and Envoy 100 fields " +
      "unless set: calls or replies with more than this fail without a reason " +
      "that the caller can read",
    change: `max_request_headers_kb: 16
common_http_protocol_options: { max_headers_count: 100 }`,
    experiment: "oversize",
    find: smallHeaders,
  },
  {
    id: "connections-stay",
    severity: "risky",
    why:
      "gRPC callers keep their connection, so that a new Envoy gets no call " +
      "until they reconnect; end connections after some minutes",
    change: "common_http_protocol_options: { max_connection_duration: 300s }",
    experiment: "connection-age",
    find: fixedConnections,
  },
  {
    id: "limits-of-workers",
    severity: "worth knowing",
    why: "Each worker opens its own connection to each server, whatever this " +
      "limit says; limit calls, which all workers count together",
    change: "max_requests: 512",
    experiment: "worker-concurrency",
    find: limitsOfWorkers,
  },
  {
    id: "shares-of-workers",
    severity: "worth knowing",
    why:
      "Each worker has its own round robin with a random start, so that few " +
      "calls are not shared equally; use one worker where that matters",
    change: "# start Envoy with --concurrency 1",
    experiment: "worker-concurrency",
    find: roundRobins,
  },
  {
    id: "oghttp2",
    severity: "risky",
    why:
      "This HTTP/2 library loses the trailers, and with them the status, of " +
      "replies that fill a window exactly (measured: of 86 among 150 replies " +
      "of 65,535 bytes); leave it to Envoy's default",
    change: `${OGHTTP2_FLAG}: false`,
    experiment: "large-replies",
    find: (model) => {
      const field = model.runtime.get(OGHTTP2_FLAG);
      return field === undefined || runtimeFlag(model, OGHTTP2_FLAG) !== true
        ? []
        : [{ of: "Envoy", place: field.place, now: "true" }];
    },
  },
];
