/**
 * The native stack: real server processes on loopback addresses, discovery by
 * DNS or a file, and the real Envoy. No containers, no root.
 */
import { Failure, messageOf } from "../core/errors.ts";
import type { Fault } from "../core/fault.ts";
import { toRequest } from "../io/fault_messages.ts";
import type { ServerCounters } from "../io/proto.ts";
import { Certificates } from "./certificates.ts";
import { EnvoyAdmin } from "./envoy_admin.ts";
import {
  type EnvoyConfig,
  moveToNative,
  parseEnvoyConfig,
} from "./envoy_config.ts";
import type { Discovery, Outage } from "./discovery.ts";
import { dnsDiscovery } from "./discovery_dns.ts";
import { edsDiscovery } from "./discovery_eds.ts";
import { EnvoyProcess } from "./envoy_process.ts";
import { addTls, type TlsSettings } from "./envoy_tls.ts";
import { requireFree, requireOutsideFree } from "./free_port.ts";
import { awaitHealthy } from "./healthy.ts";
import { ownFolder } from "./own_folder.ts";
import { residentMib } from "./resident.ts";
import { ServerProcess } from "./server_process.ts";
import type { ExitStatus } from "../io/child.ts";
import type {
  Stack,
  StackAction,
  StackListeners,
  StackServer,
} from "./stack.ts";

/** The most servers of a native stack; each has an address in 127.0.0.0/24. */
export const NATIVE_SERVERS_MAX = 32;

/** Envoy listens only on this address. */
const HOST = "127.0.0.1";

/** How Envoy can find the servers. */
export const DISCOVERY_KINDS = ["dns", "eds"] as const;

/** `dns` needs an address for each server, `eds` a port. */
export type DiscoveryKind = typeof DISCOVERY_KINDS[number];

/** TLS between callers and Envoy. */
export interface TlsOptions extends TlsSettings {
  /** How long they are valid; they are renewed after a third (default 1 h). */
  readonly lifetimeMs?: number;
}

/** Options of a native stack. */
export interface NativeOptions extends StackListeners {
  readonly servers: number;
  /** Port of the balanced listener. */
  readonly grpcPort: number;
  /** Port of the L4 listener. */
  readonly l4Port: number;
  readonly adminPort: number;
  /** Port of every server; with EDS of the first one, others follow. */
  readonly serverPort: number;
  /** How Envoy finds the servers (default "dns"). */
  readonly discovery?: DiscoveryKind;
  /** TLS with client certificates (default: plain text). */
  readonly tls?: TlsOptions | undefined;
  /** Envoy's executable. */
  readonly envoyPath: string;
  /** The configuration to derive from (default envoy.yaml). */
  readonly config?: EnvoyConfig;
  /** The configuration's name in error messages (default "envoy.yaml"). */
  readonly configName?: string | undefined;
  /** Envoy's worker threads (default 1, so that round robin is exact). */
  readonly concurrency?: number;
  /** How many addresses Envoy knows them by (default one for each). */
  readonly addresses?: number;
  /** How many of these must be healthy at the start (default all). */
  readonly healthyAtStart?: number;
  /** How long the servers may take to become healthy (default 20 s). */
  readonly healthyLimitMs?: number;
  /** Extra flags for every server. */
  readonly serverFlags?: readonly string[];
  /** Source of a program started in place of every server (default: none). */
  readonly serverProgram?: string | undefined;
  /** Path of another Deno to run the servers (default: ours). */
  readonly serverDeno?: string;
  /** Whether faults can be injected into the servers (default false). */
  readonly allowFaults?: boolean;
  /** Envoy's and its successors' (default: replaceEnvoy() may not be used). */
  readonly baseId?: number;
  /** Interrupts the start and kills everything that was started. */
  readonly signal?: AbortSignal;
}

/** The native stack. */
export class NativeStack implements Stack {
  readonly endpoint: string;
  readonly l4Endpoint: string;
  readonly admin: EnvoyAdmin;
  readonly envoy: EnvoyProcess;
  readonly certificates: Certificates | undefined;
  readonly #options: NativeOptions;
  readonly #discovery: Discovery;
  readonly #servers: ServerProcess[] = [];

  private constructor(
    options: NativeOptions,
    discovery: Discovery,
    certificates: Certificates | undefined,
  ) {
    this.#options = options;
    this.#discovery = discovery;
    this.certificates = certificates;
    this.endpoint = `${HOST}:${options.grpcPort}`;
    this.l4Endpoint = `${HOST}:${options.l4Port}`;
    this.admin = new EnvoyAdmin(`${HOST}:${options.adminPort}`);
    this.envoy = new EnvoyProcess({
      path: options.envoyPath,
      config: this.#moved(options.config ?? parseEnvoyConfig()),
      configName: options.configName,
      admin: this.admin,
      concurrency: options.concurrency ?? 1,
      baseId: options.baseId,
      onLine: (line) => options.onLine?.("envoy", line),
      onCrash: (status) => options.onCrash?.("envoy", status),
    });
  }

  /**
   * Starts a stack; resolves when its servers are healthy.
   *
   * @throws {Failure} `environment` when a part cannot start; leaves nothing
   * running.
   */
  static async start(options: NativeOptions): Promise<NativeStack> {
    const { signal, serverPort } = options;
    const discovery = options.discovery === "eds"
      ? await edsDiscovery(serverPort)
      : await dnsDiscovery(serverPort);
    let certificates: Certificates | undefined;
    try {
      certificates = await certificatesFor(options);
    } catch (error) {
      await discovery.close();
      throw error;
    }
    const stack = new NativeStack(options, discovery, certificates);
    // Whatever is being awaited then fails at once.
    const onAbort = () => void stack.#killAll();
    signal?.addEventListener("abort", onAbort);
    try {
      requirePorts(options, discovery);
      await requireLoopback();
      signal?.throwIfAborted();
      await stack.#addServers(options.servers);
      signal?.throwIfAborted();
      await stack.envoy.start();
      const { addresses = options.servers } = options;
      const { healthyAtStart = addresses } = options;
      await awaitHealthy(stack.admin, healthyAtStart, {
        isReached: (healthy, servers) =>
          servers === addresses && healthy >= healthyAtStart,
        limitMs: options.healthyLimitMs,
        signal,
      });
      signal?.throwIfAborted();
      return stack;
    } catch (error) {
      await stack.#killAll();
      await discovery.close();
      await certificates?.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  servers(): readonly StackServer[] {
    return this.#servers;
  }

  async scale(count: number): Promise<void> {
    for (const { name } of this.#servers.slice(count)) {
      this.#note(name, "scale");
    }
    await this.#scale(count);
  }

  stop(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<ExitStatus> {
    this.#note(name, signal);
    return this.#server(name).stop(signal);
  }

  async start(name: string): Promise<void> {
    this.#note(name, "start");
    await this.#server(name).start();
  }

  pause(name: string): Promise<void> {
    this.#note(name, "pause");
    this.#server(name).signal("SIGSTOP");
    return Promise.resolve();
  }

  resume(name: string): Promise<void> {
    this.#note(name, "resume");
    this.#server(name).signal("SIGCONT");
    return Promise.resolve();
  }

  async fault(name: string, fault: Fault): Promise<void> {
    this.#options.onAction?.({ server: name, kind: "fault", fault });
    await this.#server(name).operate("SetFault", toRequest(fault));
  }

  async clearFaults(name: string): Promise<void> {
    this.#note(name, "clear");
    await this.#server(name).operate("ClearFaults", {});
  }

  stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#note("", "envoy");
    return this.envoy.stop(signal);
  }

  startEnvoy(): Promise<void> {
    this.#note("", "envoy");
    return this.envoy.start();
  }

  replaceEnvoy(config: EnvoyConfig): Promise<void> {
    return this.envoy.replace(this.#moved(config));
  }

  counters(name: string): Promise<ServerCounters> {
    return this.#server(name).operate("GetCounters", {});
  }

  memoryMib(): Promise<ReadonlyMap<string, number>> {
    return residentMib([this.envoy, ...this.#servers]);
  }

  async close(): Promise<void> {
    await this.#scale(0);
    await this.envoy.stop("SIGTERM");
    await this.#discovery.close();
    await this.certificates?.close();
  }

  setOutage(outage: Outage | undefined): Promise<void> {
    return this.#discovery.setOutage(outage);
  }

  /** A copy of the configuration with this stack's addresses. */
  #moved(config: EnvoyConfig): EnvoyConfig {
    const moved = moveToNative(
      structuredClone(config),
      { host: HOST, ...this.#options, serverPlaces: this.#firstPlaces() },
      (cluster) => this.#discovery.configure(cluster),
    );
    if (this.certificates !== undefined) {
      addTls(moved, this.certificates.folder, this.#options.tls);
    }
    if (this.#options.discovery === "eds") {
      // Envoy subscribes to a file as to a server, to which it would say this.
      moved["node"] ??= { id: "grpc-demo", cluster: "grpc-demo" };
    }
    // A new Envoy receives what its predecessor counted since it was last
    // asked, so that sums over both stay right.
    if (this.#options.baseId !== undefined) {
      moved["stats_flush_on_admin"] = true;
    }
    return moved;
  }

  /** Where the servers of the start are: what a fixed list would have. */
  #firstPlaces() {
    return Array.from(
      { length: this.#options.servers },
      (_, index) => this.#discovery.placeOf(index + 1),
    );
  }

  #note(server: string, kind: StackAction["kind"]): void {
    this.#options.onAction?.({ server, kind });
  }

  async #scale(count: number): Promise<void> {
    if (count > this.#servers.length) {
      await this.#addServers(count - this.#servers.length);
    }
    const leaving = this.#servers.slice(count);
    await Promise.all(leaving.map(async (server) => {
      await server.stop("SIGTERM");
      this.#servers.splice(this.#servers.indexOf(server), 1);
      await this.#discovery.publish(this.#servers);
    }));
  }

  async #killAll(): Promise<void> {
    await Promise.all([
      ...this.#servers.map((server) => server.stop("SIGKILL")),
      this.envoy.stop("SIGKILL"),
    ]);
  }

  async #addServers(count: number): Promise<void> {
    const taken = new Set(this.#servers.map(({ name }) => name));
    const added: ServerProcess[] = [];
    for (let number = 1; added.length < count; number += 1) {
      const name = `server-${number}`;
      if (taken.has(name)) continue;
      added.push(
        new ServerProcess({
          name,
          ...this.#discovery.placeOf(number),
          program: this.#options.serverProgram,
          deno: this.#options.serverDeno,
          flags: [
            ...(this.#options.serverFlags ?? []),
            ...(this.#options.allowFaults ? ["--allow-faults"] : []),
          ],
          onLine: (...line) => this.#options.onLine?.(...line),
          onCrash: (...end) => this.#options.onCrash?.(...end),
        }),
      );
    }
    this.#servers.push(...added);
    await Promise.all(added.map((server) => server.start()));
    await this.#discovery.publish(this.#servers);
  }

  #server(name: string): ServerProcess {
    const found = this.#servers.find((server) => server.name === name);
    if (found === undefined) {
      throw new RangeError(`Cannot find server "${name}" in the stack`);
    }
    return found;
  }
}

async function certificatesFor(
  { tls, onLine }: NativeOptions,
): Promise<Certificates | undefined> {
  if (tls === undefined) return undefined;
  return await Certificates.keep(await ownFolder("tls"), {
    lifetimeMs: tls.lifetimeMs,
    onFailure: (reason) => onLine?.("envoy", reason),
  });
}

/** Ports are checked first, so that the message names the right flag. */
function requirePorts(options: NativeOptions, discovery: Discovery): void {
  requireOutsideFree(options);
  for (let number = 1; number <= options.servers; number += 1) {
    const { host, port } = discovery.placeOf(number);
    requireFree(host, port, "--server-port");
  }
}

/** How long a connection to this machine may take; usually microseconds. */
const CONNECT_LIMIT_MS = 2000;

/**
 * Checks that loopback connections work: being able to listen is not enough.
 */
async function requireLoopback(): Promise<void> {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  try {
    const connection = await Deno.connect({
      hostname: HOST,
      port: listener.addr.port,
      signal: AbortSignal.timeout(CONNECT_LIMIT_MS),
    });
    connection.close();
    (await listener.accept()).close();
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot connect to ${HOST} on this machine: ${messageOf(error)}; check ` +
        "that its loopback interface is up (`ip link set lo up`) and that no " +
        "firewall filters it",
      { cause: error },
    );
  }
}
