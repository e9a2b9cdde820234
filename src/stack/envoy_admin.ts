/**
 * A typed client for Envoy's admin interface: /clusters, /stats and actions.
 */
import { hostPort } from "../core/values.ts";
import { Failure, messageOf } from "../core/errors.ts";
import { type LocalResponse, requestLocal } from "../io/local_http.ts";

/** One host of a cluster, as /clusters shows it. */
export interface UpstreamHost {
  readonly address: string;
  /** Without any flag: no failed check, no ejection. */
  readonly isHealthy: boolean;
  readonly isEjected: boolean;
  /** Why it is unhealthy, for example "failed_active_health_check". */
  readonly flags: readonly string[];
  /** The host's counters, for example "rq_total". */
  readonly stats: ReadonlyMap<string, number>;
}

/** Counters and gauges by their full name. */
export type Stats = ReadonlyMap<string, number>;

interface ClustersReply {
  readonly cluster_statuses?: readonly {
    readonly name: string;
    readonly host_statuses?: readonly HostStatus[];
  }[];
}

interface HostStatus {
  readonly address: {
    readonly socket_address?: {
      readonly address: string;
      readonly port_value: number;
    };
    readonly envoy_internal_address?: { readonly server_listener_name: string };
  };
  readonly stats?: readonly {
    readonly name: string;
    readonly value?: string;
  }[];
  readonly health_status?: Readonly<Record<string, unknown>>;
}

/** The admin interface answers within milliseconds. */
const REQUEST_TIMEOUT_MS = 2000;

/** Required by envoy.yaml with a POST: no other web page can send it. */
const BY_PROGRAM = { "x-grpc-demo": "yes" } as const;

/** What the admin interface of one Envoy, or of several, is asked for. */
export type AdminInterface = Pick<
  EnvoyAdmin,
  "url" | "state" | "isReady" | "hosts" | "stats" | "post"
>;

/** A client of one Envoy's admin interface. */
export class EnvoyAdmin {
  /** The admin page's address, with a trailing slash. */
  readonly url: string;
  readonly #timeoutMs: number;

  /**
   * @param address "host:port" of the admin listener.
   * @param options `timeoutMs` limits the wait for a reply (default 2000).
   */
  constructor(address: string, options: { readonly timeoutMs?: number } = {}) {
    this.url = `http://${address}/`;
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
  }

  /** Envoy's state, "LIVE" if all is well, or why it gives none. */
  async state(): Promise<string> {
    try {
      return (await this.#fetch("ready", "GET")).trim();
    } catch (error) {
      return messageOf(error); // It may not listen yet.
    }
  }

  /**
   * The state of the Envoy with this restart epoch, or that its predecessor
   * still answers.
   */
  async stateOf(epoch: number): Promise<string> {
    const state = await this.state();
    if (epoch === 0 || state !== "LIVE") return state;
    try {
      const info = JSON.parse(await this.#fetch("server_info", "GET"));
      return info.command_line_options?.restart_epoch === epoch
        ? state
        : "the one before it still answers";
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Whether Envoy is live. */
  async isReady(): Promise<boolean> {
    return await this.state() === "LIVE";
  }

  /**
   * Reads the hosts of a cluster; none if it does not exist.
   * @throws {Failure} `environment` when there is no answer.
   */
  async hosts(cluster: string): Promise<readonly UpstreamHost[]> {
    const text = await this.#fetch("clusters?format=json", "GET");
    let reply: ClustersReply;
    try {
      reply = JSON.parse(text);
    } catch (error) {
      throw new Failure(
        "environment",
        `What answers at ${this.url} is not Envoy's admin interface; ` +
          "stop it or choose another admin port",
        { cause: error },
      );
    }
    const found = reply.cluster_statuses?.find(({ name }) => name === cluster);
    return (found?.host_statuses ?? []).map(toHost);
  }

  /**
   * Counters and gauges.
   *
   * @param filter A regular expression that names must match.
   * @throws {Failure} `environment` when there is no answer.
   */
  async stats(filter: string): Promise<Stats> {
    const query = new URLSearchParams({ filter });
    const text = await this.#fetch(`stats?${query}`, "GET");
    return new Map(
      text.split("\n").flatMap((line) => {
        const [, name, value] = /^(.+): (\d+)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, Number(value)] as const];
      }),
    );
  }

  /**
   * Performs an action: "healthcheck/fail", "healthcheck/ok", or
   * "drain_listeners?inboundonly", with "&graceful" if calls may finish first.
   * @throws {Failure} `environment` when it is refused.
   */
  async post(path: string): Promise<void> {
    await this.#fetch(path, "POST", BY_PROGRAM);
  }

  async #fetch(
    path: string,
    method: "GET" | "POST",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    let response: LocalResponse;
    try {
      response = await requestLocal(this.url + path, {
        method,
        headers,
        timeoutMs: this.#timeoutMs,
      });
    } catch (error) {
      const isTimeout = error instanceof Error && error.name === "TimeoutError";
      const why = isTimeout
        ? `it took longer than ${this.#timeoutMs} ms`
        : messageOf(error);
      throw new Failure(
        "environment",
        `Envoy's admin interface does not answer ${this.url}${path}: ${why}; ` +
          "check that Envoy is running",
        { cause: error },
      );
    }
    const { status, body } = response;
    if (status < 200 || status > 299) {
      throw new Failure(
        "environment",
        `Envoy's admin interface refused ${method} ${this.url}${path} with ` +
          `status ${status}: ${body.trim()}`,
      );
    }
    return body;
  }
}

function toHost(status: HostStatus): UpstreamHost {
  const { socket_address: socket, envoy_internal_address: internal } =
    status.address;
  const health = status.health_status ?? {};
  // "eds_health_status" is discovery's view; all others are reasons.
  const flags = Object.keys(health).filter((key) =>
    key !== "eds_health_status" && health[key] !== false
  );
  return {
    address: socket === undefined
      ? internal?.server_listener_name ?? ""
      : hostPort(socket.address, socket.port_value),
    isHealthy: flags.length === 0,
    isEjected: flags.includes("failed_outlier_check"),
    flags,
    stats: new Map(
      (status.stats ?? []).map(({ name, value }) => [name, Number(value ?? 0)]),
    ),
  };
}
