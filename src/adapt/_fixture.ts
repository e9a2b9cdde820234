/** A small configuration of somebody else's, for tests. */
import { at, type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import { readConfiguration } from "../doctor/configuration.ts";
import { adapt, type Adapted } from "./adapt.ts";

const HTTP = "envoy.extensions.filters.network.http_connection_manager.v3";

/** Parts of the configuration, in YAML's flow style; each has a default. */
export interface Parts {
  readonly bootstrap?: string;
  readonly listener?: string;
  readonly chain?: string;
  readonly manager?: string;
  readonly filters?: string;
  readonly host?: string;
  readonly routes?: string;
  readonly cluster?: string;
  readonly clusters?: string;
}

/** The router, in flow style. */
export const ROUTER = filter("router", "router.v3.Router");

/** An HTTP filter, in flow style. */
export function filter(name: string, type: string, fields = ""): string {
  return `{ name: ${name}, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.${type}${
    fields === "" ? "" : `, ${fields}`
  } } }`;
}

/** A configuration with a listener, a route and a cluster called "a". */
export function yaml(parts: Parts = {}): string {
  const {
    bootstrap = "",
    listener = "",
    chain = "",
    manager = "",
    filters = ROUTER,
    host = 'domains: ["*"]',
    routes = "{ match: { prefix: /acme.A/ }, route: { cluster: a } }",
    cluster = "type: STRICT_DNS",
    clusters = "",
  } = parts;
  return `
static_resources:
  listeners:
    - name: in
      address: { socket_address: { address: 10.0.0.1, port_value: 80 } }
      ${listener}
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/${HTTP}.HttpConnectionManager
                stat_prefix: in
                route_config:
                  virtual_hosts: [{ name: v, ${host}, routes: [${routes}] }]
                http_filters: [${filters}]
                ${manager}
          ${chain}
  clusters:
    - name: a
      load_assignment:
        cluster_name: a
        endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: a.example, port_value: 443 } } } }] }]
      ${cluster}
    ${clusters}
${bootstrap}
`;
}

/** Adapts a configuration that names no files. */
export function adapted(parts: Parts, service?: string): Adapted {
  return adapt(readConfiguration(yaml(parts), "my.yaml"), {
    readNamed: () => undefined,
    ...(service === undefined ? {} : { service }),
  });
}

/** The connection manager of an adapted configuration. */
export function managerOf({ config }: Adapted): Fields {
  const path = ["listeners", "grpc", "filter_chains", 0, "filters", 0];
  return fieldsOf(at(config, "static_resources", ...path, "typed_config"));
}

/** The virtual host of an adapted configuration. */
export function hostOf(of: Adapted): Fields {
  return fieldsOf(at(managerOf(of), "route_config", "virtual_hosts", 0));
}

/** The routes of an adapted configuration. */
export function routesOf(of: Adapted): readonly Fields[] {
  return listOf(hostOf(of)["routes"]);
}

/** The cluster of unary calls in an adapted configuration. */
export function clusterOf({ config }: Adapted): Fields {
  return fieldsOf(at(config, "static_resources", "clusters", "grpc-server"));
}
