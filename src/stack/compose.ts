/**
 * The Compose stack: the containers of compose.yaml, with Envoy's ports
 * published on 127.0.0.1.
 *
 * It differs from the native stack as Docker does: a stopped server leaves
 * discovery, since Docker's DNS returns only running containers; and Docker
 * itself restarts a container whose program has ended, unless it was stopped
 * with `docker stop` or `docker kill`, by hand or from here.
 */
import { Failure, RESTART_EXIT_CODE } from "../core/errors.ts";
import type { Fault } from "../core/fault.ts";
import { toFlags } from "../io/fault_messages.ts";
import { lastLine, runToEnd } from "../io/processes.ts";
import type { ServerCounters } from "../io/proto.ts";
import {
  ComposeProject,
  programName,
  type ServiceChange,
  SERVICES,
} from "./compose_project.ts";
import {
  type Container,
  containersOf,
  docker,
  DOWN_HINT,
  endContainer,
} from "./docker.ts";
import { containersMib } from "./resident.ts";
import { EnvoyAdmin } from "./envoy_admin.ts";
import type { EnvoyConfig } from "./envoy_config.ts";
import { requireOutsideFree } from "./free_port.ts";
import { awaitHealthy } from "./healthy.ts";
import { waitUntil } from "../io/wait.ts";
import type { ExitStatus } from "../io/child.ts";
import type {
  Stack,
  StackAction,
  StackListeners,
  StackServer,
} from "./stack.ts";

/** Ports are published only on this address. */
const HOST = "127.0.0.1";

/** Every server's port in its container. */
const SERVER_PORT = 8080;

/** The server program in its image. */
const SERVER_PROGRAM = "/usr/local/bin/grpc-server";

/** Docker starts containers in a second or two; Envoy checks every second. */
const HEALTHY_LIMIT_MS_DEFAULT = 30_000;

/** How long a server may take to start or to answer. */
const ANSWER_DEADLINE_MS = 5000;

/** Starting the subcommand in a busy container takes longer than its call. */
const ANSWER_LIMIT_MS = 2 * ANSWER_DEADLINE_MS;

/** Exit codes by which Docker reports a signal. */
const SIGNALS: Readonly<Record<number, string>> = {
  137: "SIGKILL",
  143: "SIGTERM",
};

/** Options of a Compose stack. */
export interface ComposeOptions extends ServiceChange, StackListeners {
  readonly servers: number;
  /** Port of the balanced listener. */
  readonly grpcPort: number;
  /** Port of the L4 listener. */
  readonly l4Port: number;
  readonly adminPort: number;
  /** Name of the Compose project; each running stack has its own. */
  readonly project: string;
  /** Prefix of its image names (default: the project's name). */
  readonly images?: string;
  /** Whether faults can be injected into the servers (default false). */
  readonly allowFaults?: boolean;
  /** Whether the client runs too (default false). */
  readonly withClient?: boolean;
  /** Whether the images are built first (default true). */
  readonly build?: boolean;
  /** How long the servers may take to become healthy (default 30 s). */
  readonly healthyLimitMs?: number;
  /** How many servers must be healthy at the start (default all). */
  readonly healthyAtStart?: number;
  /** Interrupts the start and removes everything that was started. */
  readonly signal?: AbortSignal;
}

/** The Compose stack. */
export class ComposeStack implements Stack {
  readonly endpoint: string;
  readonly l4Endpoint: string;
  readonly admin: EnvoyAdmin;
  readonly project: ComposeProject;
  readonly #options: ComposeOptions;
  /** Ids of the containers that this stack has stopped. */
  readonly #ended = new Set<string>();
  #containers: readonly Container[] = [];

  private constructor(options: ComposeOptions) {
    this.endpoint = `${HOST}:${options.grpcPort}`;
    this.l4Endpoint = `${HOST}:${options.l4Port}`;
    this.admin = new EnvoyAdmin(`${HOST}:${options.adminPort}`);
    this.#options = options;
    const { config, concurrency, serverProgram, signal, onLine } = options;
    const serverFlags = [
      ...(options.serverFlags ?? []),
      ...(options.allowFaults ? ["--allow-faults"] : []),
    ];
    this.project = new ComposeProject({
      name: options.project,
      images: options.images,
      ports: {
        grpc: options.grpcPort,
        l4: options.l4Port,
        admin: options.adminPort,
      },
      change: {
        ...(config === undefined ? {} : { config }),
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(serverFlags.length === 0 ? {} : { serverFlags }),
        ...(serverProgram === undefined ? {} : { serverProgram }),
      },
      ...(signal === undefined ? {} : { signal }),
      ...(onLine === undefined ? {} : { onLine }),
    });
  }

  /**
   * Starts a stack; resolves when every server is healthy.
   *
   * @throws {Failure} `environment` when a part cannot start; leaves no
   * container or network behind.
   */
  static async start(options: ComposeOptions): Promise<ComposeStack> {
    requireOutsideFree(options, DOWN_HINT);
    const stack = new ComposeStack(options);
    const { signal, servers, config, configName = "envoy.yaml" } = options;
    try {
      signal?.throwIfAborted();
      if (config !== undefined) {
        await stack.project.requireAccepted(config, configName);
      }
      await stack.project.up(
        [
          options.build ?? true ? "--build" : "--no-build",
          ...["--scale", `${SERVICES.server}=${servers}`],
        ],
        [
          ...[SERVICES.envoy, SERVICES.server],
          ...(options.withClient ? [SERVICES.client] : []),
        ],
      );
      stack.project.followLogs();
      stack.project.followEnds((...end) => stack.#onEnd(...end));
      await stack.#refresh();
      const { healthyAtStart = servers } = options;
      await awaitHealthy(stack.admin, healthyAtStart, {
        isReached: (healthy, found) =>
          found === servers && healthy >= healthyAtStart,
        limitMs: options.healthyLimitMs ?? HEALTHY_LIMIT_MS_DEFAULT,
        signal,
      });
      return stack;
    } catch (error) {
      await stack.project.down();
      throw error;
    }
  }

  /** As of the last time that this stack changed one of them. */
  servers(): readonly StackServer[] {
    return this.#containers.map(({ number, address, isRunning }) => ({
      name: nameOf(number),
      address: `${address}:${SERVER_PORT}`,
      isRunning,
    }));
  }

  /** Also starts servers that were stopped, as Compose does. */
  async scale(count: number): Promise<void> {
    for (const { number, id } of this.#containers.slice(count)) {
      this.#note(nameOf(number), "scale");
      this.#ended.add(id);
    }
    await this.project.up(
      [
        ...["--no-build", "--no-recreate", "--no-deps"],
        ...["--scale", `${SERVICES.server}=${count}`],
      ],
      [SERVICES.server],
    );
    await this.#refresh();
  }

  async stop(
    name: string,
    signal: "SIGTERM" | "SIGKILL",
  ): Promise<ExitStatus> {
    this.#note(name, signal);
    await this.#end(this.#container(name).id, signal);
    await this.#refresh();
    return statusOf(this.#container(name).exitCode);
  }

  async start(name: string): Promise<void> {
    this.#note(name, "start");
    await this.#start(this.#container(name).id);
    await this.#refresh();
    await this.#ask(name, ["health"]);
  }

  async pause(name: string): Promise<void> {
    this.#note(name, "pause");
    await docker(["pause", this.#container(name).id]);
  }

  async resume(name: string): Promise<void> {
    this.#note(name, "resume");
    await docker(["unpause", this.#container(name).id]);
  }

  async fault(name: string, fault: Fault): Promise<void> {
    this.#options.onAction?.({ server: name, kind: "fault", fault });
    await this.#ask(name, ["fault", ...toFlags(fault)]);
  }

  async clearFaults(name: string): Promise<void> {
    this.#note(name, "clear");
    await this.#ask(name, ["fault", "--kind", "clear"]);
  }

  async stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#note("", "envoy");
    await this.#end(await this.#envoyId(), signal);
  }

  async startEnvoy(): Promise<void> {
    this.#note("", "envoy");
    await this.#start(await this.#envoyId());
    await this.#awaitEnvoy();
  }

  async #awaitEnvoy(): Promise<void> {
    const isLive = () => this.admin.isReady();
    if (await waitUntil(isLive, HEALTHY_LIMIT_MS_DEFAULT)) return;
    throw new Failure(
      "environment",
      `Envoy is not live ${HEALTHY_LIMIT_MS_DEFAULT} ms after its start; ` +
        `see "docker compose -p ${this.project.name} logs envoy"`,
    );
  }

  /** Calls are refused while one container replaces the other. */
  async replaceEnvoy(config: EnvoyConfig): Promise<void> {
    this.#note("", "envoy");
    this.#ended.add(await this.#envoyId());
    await this.project.replaceEnvoy(config);
    await this.#awaitEnvoy();
  }

  async counters(name: string): Promise<ServerCounters> {
    return JSON.parse(await this.#ask(name, ["counters"])) as ServerCounters;
  }

  async memoryMib(): Promise<ReadonlyMap<string, number>> {
    const servers = this.#containers.filter(({ isRunning }) => isRunning)
      .map(({ number, id }) => ({ name: nameOf(number), id }));
    const envoy = { name: "envoy", id: await this.#envoyId() };
    return containersMib([envoy, ...servers]);
  }

  setOutage(): Promise<void> {
    return Promise.reject(
      new RangeError("Docker's DNS cannot be made to fail"),
    );
  }

  async close(): Promise<void> {
    // Client, servers, Envoy: Compose alone would stop Envoy first, and the
    // servers would wait for its last health check.
    if (this.#options.withClient) await this.project.stop(SERVICES.client);
    for (const { id } of this.#containers) this.#ended.add(id);
    if (this.#containers.length > 0) await this.project.stop(SERVICES.server);
    await this.project.down();
    this.#containers = [];
  }

  #note(server: string, kind: StackAction["kind"]): void {
    this.#options.onAction?.({ server, kind });
  }

  async #end(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#ended.add(id);
    await endContainer(id, signal);
  }

  async #start(id: string): Promise<void> {
    await docker(["start", id]);
    this.#ended.delete(id);
  }

  #onEnd(program: string, id: string, exitCode: number): void {
    // A program that asks for a restart gets it from Docker.
    if (this.#ended.has(id) || exitCode === RESTART_EXIT_CODE) return;
    if (program === "client") return; // Docker restarts it, too.
    this.#options.onCrash?.(program, statusOf(exitCode));
  }

  /** Runs a subcommand of the server program in a server's container. */
  async #ask(name: string, words: readonly string[]): Promise<string> {
    const { id } = this.#container(name);
    const result = await runToEnd("docker", [
      ...["exec", id, SERVER_PROGRAM, ...words],
      ...["--deadline", String(ANSWER_DEADLINE_MS)],
    ], { timeoutMs: ANSWER_LIMIT_MS });
    if (result.code === 0) return result.stdout;
    const reason = lastLine(result).replace(/^server: /, "");
    throw new Failure(
      "failed",
      `Server ${name} did not do "${words[0]}": ${reason}`,
    );
  }

  async #envoyId(): Promise<string> {
    const [envoy] = await containersOf(this.project.name, SERVICES.envoy);
    if (envoy !== undefined) return envoy.id;
    throw new RangeError("Cannot find Envoy in the stack");
  }

  async #refresh(): Promise<void> {
    this.#containers = await containersOf(this.project.name, SERVICES.server);
  }

  #container(name: string): Container {
    const found = this.#containers
      .find(({ number }) => nameOf(number) === name);
    if (found === undefined) {
      throw new RangeError(`Cannot find server "${name}" in the stack`);
    }
    return found;
  }
}

/** The name in a server's replies, too: it asks Docker for its number. */
function nameOf(number: number): string {
  return programName(SERVICES.server, String(number));
}

function statusOf(exitCode: number): ExitStatus {
  return { code: exitCode, signal: SIGNALS[exitCode] ?? null };
}
