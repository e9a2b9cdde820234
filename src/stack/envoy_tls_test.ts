import assert from "node:assert/strict";
import { at } from "../core/yaml.ts";
import { parseEnvoyConfig } from "./envoy_config.ts";
import { addTls, sdsFile, type TlsSettings } from "./envoy_tls.ts";

function listeners(settings?: TlsSettings) {
  const config = parseEnvoyConfig();
  addTls(config, "/x", settings);
  return config.static_resources.listeners.map((listener) => ({
    name: listener.name,
    inspector: at(listener, "listener_filters", 0, "name"),
    tls: at(
      listener,
      ...["filter_chains", 0, "transport_socket", "typed_config"],
    ) as Record<string, unknown> | undefined,
  }));
}

Deno.test("addTls() secures the listeners of callers and leaves the admin page", () => {
  assert.deepEqual(
    listeners().map(({ name, inspector, tls }) => [
      name,
      inspector,
      tls?.["require_client_certificate"],
      at(tls, "common_tls_context", "alpn_protocols"),
    ]),
    [
      ["grpc", "envoy.filters.listener.tls_inspector", true, ["h2"]],
      ["l4", "envoy.filters.listener.tls_inspector", true, ["h2"]],
      ["admin", "envoy.filters.listener.http_inspector", undefined, undefined],
    ],
  );
});

Deno.test("addTls() subscribes to secrets in files, or names the files if fixed", () => {
  const [watched] = listeners();
  const context = at(watched?.tls, "common_tls_context");
  assert.deepEqual(
    at(
      context,
      ...["tls_certificate_sds_secret_configs", 0],
      ...["sds_config", "path_config_source", "path"],
    ),
    "/x/server/server.json",
  );
  assert.equal(at(context, "tls_certificates"), undefined);
  const [fixed] = listeners({ certificates: "fixed" });
  const own = at(fixed?.tls, "common_tls_context");
  assert.deepEqual(at(own, "tls_certificates", 0), {
    certificate_chain: { filename: "/x/server/current/tls.crt" },
    private_key: { filename: "/x/server/current/tls.key" },
  });
  assert.equal(at(own, "tls_certificate_sds_secret_configs"), undefined);
});

Deno.test("sdsFile() watches the folder in which the link is moved", () => {
  const watched_directory = { path: "/x/server" };
  const certificate = at(sdsFile("server", "/x/server"), "resources", 0);
  assert.deepEqual(at(certificate, "tls_certificate"), {
    certificate_chain: { filename: "/x/server/current/tls.crt" },
    private_key: { filename: "/x/server/current/tls.key" },
    watched_directory,
  });
  const authority = at(sdsFile("client-ca", "/x/server"), "resources", 0);
  assert.deepEqual(at(authority, "validation_context"), {
    trusted_ca: { filename: "/x/server/current/ca.crt" },
    watched_directory,
  });
});
