/**
 * TLS for callers, derived from envoy.yaml: both listeners show a certificate
 * and require one. Envoy and the servers go on speaking plain text.
 */
import { join } from "node:path";
import {
  type EnvoyConfig,
  GRPC_LISTENER,
  L4_LISTENER,
  type Listener,
} from "./envoy_config.ts";
import { listOf } from "../core/yaml.ts";

/** What listeners ask and offer. Other values are for controls. */
export interface TlsSettings {
  /**
   * How Envoy gets its certificates: `watched` as secrets in files that it
   * reads again when they are renewed (SDS), or `fixed` in the listener, read
   * once (default "watched").
   */
  readonly certificates?: "watched" | "fixed";
  /** Protocols to choose from in the handshake (default only h2). */
  readonly alpnProtocols?: readonly string[];
  /** Whether callers must show a certificate (default true). */
  readonly requiresCallers?: boolean;
}

/** The secrets that Envoy subscribes to. */
type SecretName = "server" | "client-ca";

const TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";
const TLS_INSPECTOR =
  "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";

/** As long as a listener waits for a connection's first bytes. */
const HANDSHAKE_LIMIT = "2s";

/**
 * Adds TLS to the listeners of callers, in place.
 *
 * @param folder As {@linkcode Certificates} lays it out.
 */
export function addTls(
  config: EnvoyConfig,
  folder: string,
  settings: TlsSettings = {},
): void {
  // Envoy subscribes to a file as to a server, to which it would say this.
  config["node"] ??= { id: "grpc-demo", cluster: "grpc-demo" };
  for (const listener of config.static_resources.listeners) {
    if (![GRPC_LISTENER, L4_LISTENER].includes(listener.name)) continue;
    addToListener(listener, folder, settings);
  }
}

function addToListener(
  listener: Listener,
  folder: string,
  {
    certificates = "watched",
    // Without it, gRPC callers in Go, and ours, refuse the connection.
    alpnProtocols = ["h2"],
    requiresCallers = true,
  }: TlsSettings,
): void {
  const own = join(folder, "server");
  // A peer that says nothing is disconnected as before; so is one that does
  // not complete its handshake.
  listener["listener_filters"] = [{
    name: "envoy.filters.listener.tls_inspector",
    typed_config: { "@type": TLS_INSPECTOR },
  }];
  for (const chain of listOf(listener["filter_chains"])) {
    chain["transport_socket_connect_timeout"] = HANDSHAKE_LIMIT;
    chain["transport_socket"] = {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": `${TYPE}.DownstreamTlsContext`,
        require_client_certificate: requiresCallers,
        common_tls_context: {
          alpn_protocols: alpnProtocols,
          ...(certificates === "watched" ? subscriptions(own) : {
            tls_certificates: [keyPair(own)],
            validation_context: authority(own),
          }),
        },
      },
    };
  }
}

function subscriptions(folder: string) {
  const secret = (name: SecretName) => ({
    name,
    sds_config: {
      resource_api_version: "V3",
      path_config_source: { path: join(folder, `${name}.json`) },
    },
  });
  return {
    tls_certificate_sds_secret_configs: [secret("server")],
    validation_context_sds_secret_config: secret("client-ca"),
  };
}

/**
 * The file of one secret as Envoy reads it; a pure function.
 *
 * @param folder Envoy's, where it watches the link `current`.
 */
export function sdsFile(name: SecretName, folder: string): unknown {
  const watched = { watched_directory: { path: folder } };
  return {
    resources: [{
      "@type": `${TYPE}.Secret`,
      name,
      ...(name === "server"
        ? { tls_certificate: { ...keyPair(folder), ...watched } }
        : { validation_context: { ...authority(folder), ...watched } }),
    }],
  };
}

function keyPair(folder: string) {
  return {
    certificate_chain: { filename: join(folder, "current", "tls.crt") },
    private_key: { filename: join(folder, "current", "tls.key") },
  };
}

function authority(folder: string) {
  return { trusted_ca: { filename: join(folder, "current", "ca.crt") } };
}
