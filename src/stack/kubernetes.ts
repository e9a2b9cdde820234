/**
 * The stack on Kubernetes: deploy/kubernetes in a namespace of its own, over
 * kubectl.
 *
 * It differs from the native stack as Kubernetes does. A server is a pod that
 * its Deployment replaces: once one is deleted, another takes its name here,
 * "server-2", with another address. There are several Envoys, whose figures are
 * summed up. Callers use the Service's address, which must be reachable from
 * here, as it is on every node of a cluster: a forwarded port would lead all
 * calls to one Envoy. Signals need the process, so this must be its node.
 */
import { Failure, messageOf } from "../core/errors.ts";
import type { Fault } from "../core/fault.ts";
import { commandWords, projectFolder } from "../io/build.ts";
import type { ExitStatus } from "../io/child.ts";
import { toRequest } from "../io/fault_messages.ts";
import { callHedged } from "../io/hedged_call.ts";
import { Admin, type AdminClient, type ServerCounters } from "../io/proto.ts";
import type { MethodOf, ReplyOf, RequestOf } from "../io/rpc.ts";
import type { EnvoyConfig } from "./envoy_config.ts";
import type { EnvoysAdmin } from "./envoys_admin.ts";
import { requireOutsideFree } from "./free_port.ts";
import { awaitHealthy } from "./healthy.ts";
import { Kubectl, reasonOf } from "./kubectl.ts";
import { KubernetesEnvoys } from "./kubernetes_envoys.ts";
import {
  type Deployment,
  DEPLOYMENTS,
  type KubernetesObject,
  type ManifestChange,
  manifestsFor,
} from "./manifests.ts";
import {
  createNamespace,
  removeNamespace,
  requireReachable,
} from "./namespace.ts";
import { processOf, signalPod } from "./pod_process.ts";
import type { Pod, PodEvent } from "./pods.ts";
import { residentMib } from "./resident.ts";
import { requireRights } from "./rights.ts";
import {
  awaitFirstPods,
  awaitRollout,
  setReplicas,
  START_LIMIT_MS,
  STOP_LIMIT_MS,
} from "./rollout.ts";
import { StackPods } from "./stack_pods.ts";
import type {
  Stack,
  StackAction,
  StackListeners,
  StackServer,
} from "./stack.ts";

const MANIFESTS = `${projectFolder()}deploy/kubernetes`;

/** The port of every server, and of the Service for callers. */
const SERVER_PORT = 8080;
const CALLERS_PORT = 5000;

const OPERATOR_DEADLINE_MS = 2000;

/** Kubernetes deletes the pods with the lowest cost first. */
const LEAVES_FIRST = "controller.kubernetes.io/pod-deletion-cost=-1";

/** Options of a stack on Kubernetes. */
export interface KubernetesOptions extends StackListeners {
  /** The path of kubectl. */
  readonly kubectlPath: string;
  readonly context: string;
  readonly namespace: string;
  readonly servers: number;
  /** How many Envoys (default 2). */
  readonly envoys?: number;
  /** Changes of the manifests (default none). */
  readonly changes?: readonly ManifestChange[];
  /** Local ports that lead to the first Envoy. */
  readonly l4Port: number;
  readonly adminPort: number;
  /** Envoy's configuration (default: that of deploy/kubernetes). */
  readonly config?: EnvoyConfig | undefined;
  readonly concurrency?: number;
  readonly serverFlags?: readonly string[];
  /** Whether faults can be injected into the servers (default false). */
  readonly allowFaults?: boolean;
  /** How many servers must be healthy at the start (default all). */
  readonly healthyAtStart?: number;
  /** How long that may take (default 90 s). */
  readonly healthyLimitMs?: number;
  /** Interrupts the start and removes everything that was started. */
  readonly signal?: AbortSignal;
}

/** The stack on Kubernetes. */
export class KubernetesStack implements Stack {
  readonly l4Endpoint: string;
  readonly kubectl: Kubectl;
  readonly envoys: KubernetesEnvoys;
  readonly #options: KubernetesOptions;
  readonly #pods: StackPods;
  /** The connections that counters are read on, by address. */
  readonly #kept = new Map<string, AdminClient[]>();
  #endpoint = "";
  #manifests = "";
  #isStarted = false;

  private constructor(options: KubernetesOptions) {
    this.#options = options;
    this.kubectl = new Kubectl(
      options.kubectlPath,
      options.context,
      options.namespace,
    );
    this.l4Endpoint = `127.0.0.1:${options.l4Port}`;
    this.#pods = new StackPods(this.kubectl, {
      ...options,
      onChange: (event) => this.#onPod(event),
      onServerStart: (name) => {
        if (this.#isStarted) this.#note(name, "start");
      },
    });
    this.envoys = new KubernetesEnvoys(this.kubectl, this.#pods, options);
  }

  /**
   * Starts a stack; resolves when every server is healthy.
   *
   * @throws {Failure} `environment` when a part cannot start; leaves nothing in
   * the cluster.
   */
  static async start(options: KubernetesOptions): Promise<KubernetesStack> {
    requireOutsideFree({
      l4Port: options.l4Port,
      adminPort: options.adminPort,
    });
    const stack = new KubernetesStack(options);
    const { signal, servers, healthyAtStart = servers } = options;
    const { kubectl } = stack;
    signal?.throwIfAborted();
    stack.#manifests = await kubectl.run(["kustomize", MANIFESTS]);
    await requireRights(kubectl);
    const objects = stack.#objects(options.config, servers);
    const namespace = objects.find(isNamespace);
    if (namespace !== undefined) await createNamespace(kubectl, namespace);
    try {
      await stack.#apply(options.config);
      stack.#pods.start();
      await awaitFirstPods(
        stack.#pods,
        () =>
          stack.#runningCount() >= healthyAtStart && stack.envoys.areReady(),
        signal,
      );
      const address = await kubectl.run([
        ...["get", "service", DEPLOYMENTS.envoy],
        "--output=jsonpath={.spec.clusterIP}",
      ]);
      stack.#endpoint = `${address}:${CALLERS_PORT}`;
      await requireReachable(address, CALLERS_PORT, signal);
      await awaitHealthy(stack.admin, healthyAtStart, {
        isReached: (healthy, found) =>
          found === servers && healthy >= healthyAtStart,
        limitMs: options.healthyLimitMs ?? START_LIMIT_MS,
        signal,
      });
      signal?.throwIfAborted();
      stack.#isStarted = true;
      return stack;
    } catch (error) {
      throw await stack.#closedAfter(error);
    }
  }

  /** The address of the Service, for callers on a node. */
  get endpoint(): string {
    return this.#endpoint;
  }

  get admin(): EnvoysAdmin {
    return this.envoys.admin;
  }

  servers(): readonly StackServer[] {
    return this.#pods.servers.map(({ name, pod }) => ({
      name,
      address: `${pod.address}:${SERVER_PORT}`,
      isRunning: pod.isRunning && pod.isReady,
    }));
  }

  nameOf(reply: string): string {
    return this.#pods.nameOf(reply) ?? reply;
  }

  /** The pod that is a server at the moment. */
  podName(server: string): string {
    return this.#pods.of(server).name;
  }

  async scale(count: number): Promise<void> {
    const leaving = this.servers().slice(count).map(({ name }) => name);
    for (const name of leaving) this.#note(name, "scale");
    const pods = leaving.map((name) => this.#pods.of(name).name);
    pods.forEach((pod) => this.#pods.expectEnd(pod));
    if (pods.length > 0) {
      await this.kubectl.run(["annotate", "pods", ...pods, LEAVES_FIRST]);
    }
    await setReplicas(this.kubectl, DEPLOYMENTS.server, count);
    await this.#pods.until(
      () =>
        pods.every((pod) => this.#pods.find(pod) === undefined) &&
        this.servers().length === count &&
        this.servers().every(({ isRunning }) => isRunning),
      pods.length > 0 ? STOP_LIMIT_MS : START_LIMIT_MS,
      `scaling to ${count} servers`,
    );
  }

  /**
   * SIGTERM deletes the pod, which ends as in a rollout; SIGKILL kills the
   * container's process, which Kubernetes restarts in the same pod.
   */
  async stop(
    name: string,
    signal: "SIGTERM" | "SIGKILL",
  ): Promise<ExitStatus> {
    this.#note(name, signal);
    const pod = this.#pods.of(name);
    if (signal === "SIGTERM") return await this.#delete(pod, []);
    this.#pods.expectEnd(pod.containerId);
    await signalPod(pod, "SIGKILL");
    const isOver = () => {
      const now = this.#pods.find(pod.name);
      return now?.containerId !== pod.containerId || !now.isRunning;
    };
    await this.#pods.until(isOver, STOP_LIMIT_MS, `the end of ${name}`);
    return this.#pods.statusOf(pod.name);
  }

  /**
   * Deletes a server's pod without a grace period: the cluster forgets it at
   * once, and the node ends it when it notices.
   */
  async deleteAtOnce(name: string): Promise<void> {
    this.#note(name, "SIGKILL");
    await this.#delete(this.#pods.of(name), ["--grace-period=0", "--force"]);
  }

  /**
   * Evicts a server's pod, as draining its node does.
   *
   * @returns Whether the disruption budget allowed it.
   */
  async evict(name: string): Promise<boolean> {
    const pod = this.#pods.of(name);
    const path = `/api/v1/namespaces/${this.kubectl.namespace}/pods/` +
      `${pod.name}/eviction`;
    const eviction = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: pod.name, namespace: this.kubectl.namespace },
    };
    const words = ["create", `--raw=${path}`];
    const result = await this.kubectl.tryWith([eviction], words);
    if (result.code === 0) {
      this.#pods.expectEnd(pod.name);
      this.#note(name, "SIGTERM");
      return true;
    }
    if (/disruption budget/.test(reasonOf(result))) return false;
    throw this.kubectl.failure(words, result);
  }

  /**
   * Waits for the pod that has the server's name now; Kubernetes has started it
   * already, which was noted then.
   */
  async start(name: string): Promise<void> {
    await this.#pods.until(
      () =>
        this.servers().some((server) =>
          server.name === name && server.isRunning
        ),
      START_LIMIT_MS,
      `the start of ${name}`,
    );
  }

  async pause(name: string): Promise<void> {
    this.#note(name, "pause");
    await signalPod(this.#pods.of(name), "SIGSTOP");
  }

  async resume(name: string): Promise<void> {
    this.#note(name, "resume");
    await signalPod(this.#pods.of(name), "SIGCONT");
  }

  async fault(name: string, fault: Fault): Promise<void> {
    this.#options.onAction?.({ server: name, kind: "fault", fault });
    await this.#operate(name, "SetFault", toRequest(fault));
  }

  async clearFaults(name: string): Promise<void> {
    this.#note(name, "clear");
    await this.#operate(name, "ClearFaults", {});
  }

  counters(name: string): Promise<ServerCounters> {
    return this.#operate(name, "GetCounters", {});
  }

  setOutage(): Promise<void> {
    return Promise.reject(
      new RangeError("The cluster's DNS cannot be made to fail"),
    );
  }

  /** Ends the process of every Envoy; Kubernetes restarts it at once. */
  async stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#note("", "envoy");
    await this.envoys.stop(signal);
  }

  async startEnvoy(): Promise<void> {
    this.#note("", "envoy");
    await this.envoys.awaitReady();
  }

  /** A rollout: a new Envoy starts, an old one drains, and so on. */
  async replaceEnvoy(config: EnvoyConfig): Promise<void> {
    this.#note("", "envoy");
    await this.envoys.roll(() =>
      this.#apply(config, this.#pods.servers.length)
    );
  }

  /** Replaces every pod of a Deployment, as its strategy says. */
  async restart(deployment: Deployment): Promise<void> {
    const begin = async () => {
      const words = ["rollout", "restart", `deployment/${deployment}`];
      await this.kubectl.run(words);
    };
    if (deployment === DEPLOYMENTS.envoy) {
      this.#note("", "envoy");
      return await this.envoys.roll(begin);
    }
    for (const { name } of this.servers()) this.#note(name, "SIGTERM");
    this.#pods.expectEnds(deployment);
    await begin();
    await awaitRollout(this.kubectl, this.#pods, deployment);
  }

  /** Starts or stops Envoys until there are `count`. */
  async scaleEnvoys(count: number): Promise<void> {
    this.#note("", "envoy");
    await this.envoys.scale(count);
  }

  async memoryMib(): Promise<ReadonlyMap<string, number>> {
    const [envoy] = this.envoys.pods;
    const programs = this.servers()
      .filter(({ isRunning }) => isRunning)
      .map(({ name }) => ({ name, pod: this.#pods.of(name) }));
    if (envoy !== undefined) programs.push({ name: "envoy", pod: envoy });
    return await residentMib(
      await Promise.all(programs.map(async ({ name, pod }) => ({
        name,
        pid: await processOf(pod),
      }))),
    );
  }

  async close(): Promise<void> {
    this.#pods.quiet();
    const { kubectl } = this;
    for (const clients of this.#kept.values()) {
      clients.splice(0).forEach((client) => client.close());
    }
    await this.envoys.close();
    try {
      await removeNamespace(kubectl);
    } finally {
      await this.#pods.close();
    }
  }

  /** Closes it. @returns What failed before, and whether it is still there. */
  async #closedAfter(error: unknown): Promise<unknown> {
    try {
      await this.close();
    } catch (left) {
      const rest = "what was started is left, until " +
        `\`${commandWords()} down --kubernetes\` removes it: ${
          messageOf(left)
        }`;
      if (error instanceof Failure && error.kind !== "interrupted") {
        const message = `${error.message}; ${rest}`;
        return new Failure(error.kind, message, { cause: error });
      }
      this.#options.onLine?.("up", rest);
    }
    return error;
  }

  #objects(config: EnvoyConfig | undefined, servers: number) {
    const options = this.#options;
    return manifestsFor(this.#manifests, {
      namespace: options.namespace,
      servers,
      envoys: options.envoys ?? 2,
      config,
      concurrency: options.concurrency,
      serverFlags: [
        ...(options.serverFlags ?? []),
        ...(options.allowFaults ? ["--allow-faults"] : []),
      ],
      changes: options.changes ?? [],
    });
  }

  async #apply(
    config: EnvoyConfig | undefined,
    servers: number = this.#options.servers,
  ): Promise<void> {
    const objects = this.#objects(config, servers)
      .filter((object) => !isNamespace(object));
    const { signal } = this.#options;
    const result = await this.kubectl.tryWith(objects, ["apply"], { signal });
    if (result.code !== 0) throw this.kubectl.failure(["apply"], result);
  }

  #runningCount(): number {
    return this.servers().filter(({ isRunning }) => isRunning).length;
  }

  async #delete(pod: Pod, flags: readonly string[]): Promise<ExitStatus> {
    this.#pods.expectEnd(pod.name);
    await this.kubectl.run(
      ["delete", "pod", pod.name, "--wait=false", ...flags],
    );
    await this.#pods.until(
      () => this.#pods.find(pod.name) === undefined,
      STOP_LIMIT_MS,
      `the end of ${pod.name}`,
    );
    return this.#pods.statusOf(pod.name);
  }

  async #operate<M extends MethodOf<AdminClient>>(
    name: string,
    method: M,
    request: RequestOf<AdminClient, M>,
  ): Promise<ReplyOf<AdminClient, M>> {
    const target = `${this.#pods.of(name).address}:${SERVER_PORT}`;
    const kept = this.#kept.get(target) ?? [];
    this.#kept.set(target, kept);
    return await callHedged(Admin, method, request, {
      target,
      kept,
      deadlineMs: OPERATOR_DEADLINE_MS,
      complaint: `${name} did not do ${method}`,
    });
  }

  #note(server: string, kind: StackAction["kind"]): void {
    this.#options.onAction?.({ server, kind });
  }

  #onPod({ pod, isGone }: PodEvent): void {
    if (isGone) {
      const address = `${pod.address}:${SERVER_PORT}`;
      this.#kept.get(address)?.forEach((client) => client.close());
      this.#kept.delete(address);
    }
    this.envoys.lead();
  }
}

function isNamespace({ kind }: KubernetesObject): boolean {
  return kind === "Namespace";
}
