/** The pods of a stack: which server each one is, its output, and its end. */
import { Failure } from "../core/errors.ts";
import type { Child, ExitStatus } from "../io/child.ts";
import { waitUntil } from "../io/wait.ts";
import { lastWarning } from "./events.ts";
import type { Kubectl } from "./kubectl.ts";
import { DEPLOYMENTS } from "./manifests.ts";
import { type Pod, type PodEvent, PodWatch, ServerNumbers } from "./pods.ts";
import type { StackListeners } from "./stack.ts";

/** Exit codes by which containers report a signal. */
const SIGNALS: Readonly<Record<number, string>> = {
  137: "SIGKILL",
  143: "SIGTERM",
};

/** A server and the pod that it is at the moment. */
export interface ServerPod {
  readonly name: string;
  readonly pod: Pod;
}

/** Options of a stack's pods. */
interface PodsOptions extends Pick<StackListeners, "onLine" | "onCrash"> {
  /** Called when a container of a server runs, for the first time or again. */
  readonly onServerStart: (name: string) => void;
  /** Called after each change. */
  readonly onChange: (event: PodEvent) => void;
  /** Ends every wait. */
  readonly signal?: AbortSignal | undefined;
}

/** The pods of a stack. */
export class StackPods {
  readonly #kubectl: Kubectl;
  readonly #options: PodsOptions;
  readonly #watch: PodWatch;
  readonly #numbers = new ServerNumbers();
  /** The programs that follow logs, by container. */
  readonly #logs = new Map<string, Child>();
  /** Pods and containers whose end is no surprise. */
  readonly #expected = new Set<string>();
  /** The containers that were seen running, by pod. */
  readonly #running = new Map<string, string>();
  /** The last exit code of each pod. */
  readonly #exits = new Map<string, number>();
  #isQuiet = false;

  constructor(kubectl: Kubectl, options: PodsOptions) {
    this.#kubectl = kubectl;
    this.#options = options;
    this.#watch = new PodWatch(kubectl, (event) => this.#onPod(event));
  }

  /** Follows them until it is closed. */
  start(): void {
    this.#watch.start();
  }

  /** All of them. */
  get all(): readonly Pod[] {
    return this.#watch.pods;
  }

  /** The Envoys that get calls. */
  get envoys(): readonly Pod[] {
    return this.all.filter((pod) =>
      pod.app === DEPLOYMENTS.envoy && pod.isReady && !pod.isLeaving
    );
  }

  /** The servers that have an address, by number. */
  get servers(): readonly ServerPod[] {
    return this.#numbers.servers().flatMap(({ name, pods }) => {
      const there = pods.flatMap((pod) => this.#watch.find(pod) ?? []);
      const pod = there.findLast(({ address }) => address !== "");
      return pod === undefined ? [] : [{ name, pod }];
    });
  }

  /** A pod by its own name; undefined once it is gone. */
  find(name: string): Pod | undefined {
    return this.#watch.find(name);
  }

  /** The pod of a server. @throws {RangeError} When there is none. */
  of(server: string): Pod {
    const found = this.servers.find(({ name }) => name === server);
    if (found !== undefined) return found.pod;
    throw new RangeError(`Cannot find server "${server}" in the stack`);
  }

  /** The server that a pod is or was; undefined if it is none. */
  nameOf(pod: string): string | undefined {
    return this.#numbers.nameOf(pod);
  }

  /** Notes that a pod, or a container, ends because it is asked to. */
  expectEnd(name: string): void {
    this.#expected.add(name);
  }

  /** The same for every pod of a Deployment. */
  expectEnds(deployment: string): void {
    for (const { app, name } of this.all) {
      if (app === deployment) this.expectEnd(name);
    }
  }

  /** How a pod's container ended last. */
  statusOf(pod: string): ExitStatus {
    return statusOf(this.#exits.get(pod));
  }

  /**
   * Waits until a condition about them holds.
   *
   * @param what For the message, as in "Waited 40 s for ...".
   * @throws {Failure} `failed`, saying what keeps them from it.
   */
  async until(
    isTrue: () => boolean,
    limitMs: number,
    what: string,
  ): Promise<void> {
    const { signal } = this.#options;
    if (await waitUntil(isTrue, limitMs, signal)) return;
    signal?.throwIfAborted();
    throw new Failure(
      "failed",
      `Waited ${limitMs / 1000} s for ${what}: ${await this.trouble()}`,
    );
  }

  /**
   * What keeps them from being Ready, and what to do. The cluster's last warning
   * is in it, as its events go with the namespace.
   */
  async trouble(): Promise<string> {
    const warning = await lastWarning(this.#kubectl);
    return warning === ""
      ? `${this.#words()}; try again when the cluster's nodes are less busy`
      : `${this.#words()}, and the cluster's last warning is ` +
        `${JSON.stringify(warning)}; correct that, and try again`;
  }

  #words(): string {
    const words = this.all.filter(({ isReady, isLeaving }) =>
      !isReady || isLeaving
    ).map(({ name, isLeaving, waiting, exitCode }) => {
      const state = isLeaving ? "ends" : waiting ||
        (exitCode === undefined ? "is not Ready" : `ended with ${exitCode}`);
      return `${name} ${state}`;
    });
    if (words.length > 0) return words.join(", ");
    return this.all.length === 0 ? "there are no pods" : "all pods are Ready";
  }

  /** From now on nothing is reported: they are being removed. */
  quiet(): void {
    this.#isQuiet = true;
  }

  /** Ends the programs that follow them. */
  async close(): Promise<void> {
    this.quiet();
    const logs = [...this.#logs.values()];
    logs.forEach((child) => child.kill("SIGTERM"));
    await Promise.all(logs.map(({ exited }) => exited));
    await this.#watch.close();
  }

  #onPod(event: PodEvent): void {
    const { pod, isGone } = event;
    if (pod.exitCode !== undefined) this.#exits.set(pod.name, pod.exitCode);
    if (pod.app === DEPLOYMENTS.server && !isGone) {
      this.#numbers.add(pod.name, (name) => this.find(name)?.isLeaving ?? true);
    }
    if (!this.#isQuiet) {
      this.#followLog(pod);
      this.#noteChange(event);
    }
    if (isGone) this.#numbers.remove(pod.name);
    if (!this.#isQuiet) this.#options.onChange(event);
  }

  /** Reports a container that has ended, and a server's that has started. */
  #noteChange({ pod, isGone }: PodEvent): void {
    const ran = this.#running.get(pod.name);
    const runs = pod.isRunning && !isGone ? pod.containerId : undefined;
    if (ran === runs) return;
    const server = this.nameOf(pod.name);
    const isExpected = [pod.name, ran ?? ""]
      .some((one) => this.#expected.has(one));
    if (ran !== undefined && !isExpected) {
      this.#options.onCrash?.(server ?? pod.name, statusOf(pod.exitCode));
    }
    if (runs === undefined) {
      this.#running.delete(pod.name);
      return;
    }
    this.#running.set(pod.name, runs);
    if (server !== undefined) this.#options.onServerStart(server);
  }

  /** Follows the output of a pod's container, and of the next one. */
  #followLog(pod: Pod): void {
    const { onLine } = this.#options;
    if (onLine === undefined || !pod.isRunning) return;
    if (this.#logs.has(pod.containerId)) return;
    const program = this.nameOf(pod.name) ?? pod.app;
    const child = this.#kubectl.start(
      ["logs", "--follow", `pod/${pod.name}`],
      (line) => onLine(program, line.replace(`${pod.name}: `, "")),
    );
    this.#logs.set(pod.containerId, child);
  }
}

function statusOf(exitCode: number | undefined): ExitStatus {
  const code = exitCode ?? 0;
  return { code, signal: SIGNALS[code] ?? null };
}
