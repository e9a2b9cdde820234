/** The flags of the command `up`. */
import { Failure } from "../core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  oneOf,
  port,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { DISCOVERY_KINDS, NATIVE_SERVERS_MAX } from "../stack/native.ts";
import { CONTEXT_FLAG, requireOneStack } from "./cluster_flags.ts";

/** The flags of `up`. */
export const UP_FLAGS = {
  servers: {
    name: "servers",
    placeholder: "COUNT",
    help: "How many servers",
    default: 3,
    parse: wholeNumber(1, NATIVE_SERVERS_MAX),
  },
  docker: {
    name: "docker",
    help: "Run everything in containers, with Docker Compose",
    switch: true,
  },
  kubernetes: {
    name: "kubernetes",
    help: "Run everything on Kubernetes, in a namespace of its own",
    switch: true,
  },
  context: CONTEXT_FLAG,
  noClient: {
    name: "no-client",
    help: "Start only Envoy and the servers, ready for other clients",
    switch: true,
  },
  grpcPort: {
    name: "port",
    placeholder: "PORT",
    help:
      "Port for callers, always 5000 on Kubernetes; the L4 listener is one above",
    default: 5000,
    parse: wholeNumber(1, 65_534),
  },
  adminPort: {
    name: "admin-port",
    placeholder: "PORT",
    help: "Port of Envoy's admin page",
    default: 9901,
    parse: port(),
  },
  serverPort: {
    name: "server-port",
    placeholder: "PORT",
    help: "Port of every server, on 127.0.0.1, 127.0.0.2, and so on",
    default: 8080,
    parse: port(),
  },
  discovery: {
    name: "discovery",
    placeholder: "KIND",
    help: "dns; or eds: a file, with all servers on 127.0.0.1, ports in a row",
    default: "dns" as (typeof DISCOVERY_KINDS)[number],
    parse: oneOf(DISCOVERY_KINDS),
  },
  isTls: {
    name: "tls",
    help: "TLS for callers, who need a certificate; all are made here",
    switch: true,
  },
  pagePort: {
    name: "page-port",
    placeholder: "PORT",
    help: "Port of the live page; 0 is 8000, or a free one if that is taken",
    default: 0,
    parse: port(0),
  },
  noPage: {
    name: "no-page",
    help: "Do not serve the live page",
    switch: true,
  },
  configFile: {
    name: "config",
    placeholder: "FILE",
    help: "Envoy configuration to derive from; envoy.yaml unless given",
    default: "",
    parse: words(4096),
  },
  accessLog: {
    name: "access-log",
    help: "Also print Envoy's access log, a line for every call",
    switch: true,
  },
  isReplacing: {
    name: "replace",
    help: "Kill what an earlier, killed run left on these ports",
    switch: true,
  },
} as const satisfies FlagRows;

/** What has no effect where something else than `up` starts the programs. */
const NO_EFFECT = {
  docker: {
    serverPort: "each server has a container of its own",
    discovery: "Docker's DNS has the servers",
    isTls: "compose.yaml has it: docker compose --profile tls up --build " +
      "--scale grpc-server=3",
  },
  kubernetes: {
    serverPort: "each server has a pod of its own",
    discovery: "the cluster's DNS has the servers",
    isTls: "all speak plain text",
  },
} as const;

/**
 * Checks that the flags fit together.
 *
 * @throws {Failure} `usage`, naming those that do not.
 */
export function requireFittingFlags(
  flags: FlagValues<typeof UP_FLAGS>,
): void {
  const { docker, kubernetes } = flags;
  requireOneStack({
    isDocker: docker,
    isKubernetes: kubernetes,
    context: flags.context,
    configFile: flags.configFile,
  });
  for (const stack of ["docker", "kubernetes"] as const) {
    if (!flags[stack]) continue;
    const reasons = NO_EFFECT[stack];
    for (const [key, why] of Object.entries(reasons)) {
      const row = UP_FLAGS[key as keyof typeof NO_EFFECT.kubernetes];
      const value = flags[key as keyof typeof NO_EFFECT.kubernetes];
      if (value === ("switch" in row ? false : row.default)) continue;
      throw new Failure(
        "usage",
        `--${row.name}${
          value === true ? "" : ` ${value}`
        } has no effect with --${stack}, where ` +
          `${why}; leave one of them out`,
      );
    }
  }
  const { grpcPort, adminPort, serverPort, servers } = flags;
  const serverPorts = flags.discovery === "eds" ? servers : 1;
  requireDistinctPorts(
    docker || kubernetes
      ? { grpcPort, adminPort }
      : { grpcPort, adminPort, serverPort, serverPorts },
  );
}

/**
 * Checks that no two parts share a port.
 *
 * @param ports `serverPort` is left out where servers run in containers; with
 * several `serverPorts` (default 1) it is the first of them.
 * @throws {Failure} `usage`, naming both flags.
 */
export function requireDistinctPorts(ports: {
  readonly grpcPort: number;
  readonly adminPort: number;
  readonly serverPort?: number;
  readonly serverPorts?: number;
}): void {
  const { grpcPort, adminPort, serverPort = NaN, serverPorts = 1 } = ports;
  const uses = [
    { flag: "--port", part: "port of callers", port: grpcPort },
    { flag: "--port", part: "L4 port, one above --port", port: grpcPort + 1 },
    { flag: "--admin-port", part: "admin port", port: adminPort },
  ];
  for (const [index, { flag, port }] of uses.entries()) {
    const other = uses.slice(0, index).find((use) => use.port === port);
    if (other === undefined) continue;
    throw new Failure(
      "usage",
      `${flag} ${port} is also the ${other.part}; choose another`,
    );
  }
  const other = uses.find(({ port }) =>
    port >= serverPort && port < serverPort + serverPorts
  );
  if (other !== undefined) {
    const last = serverPorts > 1 ? ` to ${serverPort + serverPorts - 1}` : "";
    const is = serverPorts > 1 ? "includes" : "is also";
    throw new Failure(
      "usage",
      `--server-port ${serverPort}${last} ${is} the ${other.part}; choose another`,
    );
  }
}
