/** Follows the pods of a namespace, and names the servers among them. */
import type { Child } from "../io/child.ts";
import { pause } from "../io/wait.ts";
import type { Kubectl } from "./kubectl.ts";

/** A pod with one container. */
export interface Pod {
  readonly name: string;
  /** The label app.kubernetes.io/name: "grpc-server" or "envoy". */
  readonly app: string;
  /** "" until it has one. */
  readonly address: string;
  readonly isReady: boolean;
  /** Whether it was deleted and ends. */
  readonly isLeaving: boolean;
  /** Of its container that runs or ran last; "" before the first. */
  readonly containerId: string;
  readonly isRunning: boolean;
  readonly restarts: number;
  /** How its container ended last, or undefined. */
  readonly exitCode: number | undefined;
  /** Why its container waits, for example "ErrImagePull", or "". */
  readonly waiting: string;
  /** kubectl's words about that, or "". */
  readonly waitingWords: string;
}

/** A change that a watch reports. */
export interface PodEvent {
  readonly isGone: boolean;
  readonly pod: Pod;
}

/** A part of a pod, and its path within the event. */
const FIELDS = [
  ".type",
  ".object.metadata.name",
  ".object.metadata.labels.app\\.kubernetes\\.io/name",
  ".object.metadata.deletionTimestamp",
  ".object.status.podIP",
  '.object.status.conditions[?(@.type=="Ready")].status',
  ".object.status.containerStatuses[0].restartCount",
  ".object.status.containerStatuses[0].containerID",
  ".object.status.containerStatuses[0].lastState.terminated.exitCode",
  ".object.status.containerStatuses[0].state.terminated.exitCode",
  ".object.status.containerStatuses[0].state.running.startedAt",
  ".object.status.containerStatuses[0].state.waiting.reason",
  // The only one that can contain the separator, or end a line.
  ".object.status.containerStatuses[0].state.waiting.message",
] as const;

/** Names, addresses and numbers do not contain it; kubectl aligns tabs. */
const SEPARATOR = "|";

const TEMPLATE = FIELDS.map((field) => `{${field}}`).join(SEPARATOR) +
  '{"\\n"}';

/** Parses a line of the watch; undefined if it is the rest of a message. */
export function podEventOf(line: string): PodEvent | undefined {
  const [type, name, app, deleted, address, ready, restarts, ...rest] = line
    .split(SEPARATOR);
  const [id, lastExit, exit, runs, waiting, ...message] = rest;
  if (!/^(ADDED|MODIFIED|DELETED)$/.test(type ?? "") || waiting === undefined) {
    return undefined;
  }
  const code = exit || lastExit;
  return {
    isGone: type === "DELETED",
    pod: {
      name: name ?? "",
      app: app ?? "",
      address: address ?? "",
      isReady: ready === "True",
      isLeaving: deleted !== "",
      containerId: (id ?? "").replace(/^.*:\/\//, ""),
      isRunning: runs !== "",
      restarts: Number(restarts),
      exitCode: code ? Number(code) : undefined,
      waiting,
      waitingWords: message.join(SEPARATOR),
    },
  };
}

/** After a watch has ended, as the API server ends each within the hour. */
const WATCH_AGAIN_MS = 500;

/** The pods of a namespace, kept up to date by a watch. */
export class PodWatch {
  readonly #kubectl: Kubectl;
  readonly #onEvent: (event: PodEvent) => void;
  readonly #pods = new Map<string, Pod>();
  #child: Child | undefined;
  #isClosed = false;

  /** @param onEvent Called with each change, after `pods` has it. */
  constructor(kubectl: Kubectl, onEvent: (event: PodEvent) => void) {
    this.#kubectl = kubectl;
    this.#onEvent = onEvent;
  }

  /** All of them, in the order in which they appeared. */
  get pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  /** A pod; undefined once it is gone. */
  find(name: string): Pod | undefined {
    return this.#pods.get(name);
  }

  /** Watches until it is closed. */
  start(): void {
    void this.#watch();
  }

  /** Ends the watch. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#child?.kill("SIGTERM");
    await this.#child?.exited;
  }

  async #watch(): Promise<void> {
    while (!this.#isClosed) {
      if (this.#pods.size > 0) await this.#forgetTheGone();
      if (this.#isClosed) return;
      this.#child = this.#kubectl.start([
        ...["get", "pods", "--watch", "--output-watch-events"],
        `--output=jsonpath=${TEMPLATE}`,
      ], (line) => this.#note(line));
      await this.#child.exited;
      if (!this.#isClosed) await pause(WATCH_AGAIN_MS);
    }
  }

  /** Those that went while nobody watched. */
  async #forgetTheGone(): Promise<void> {
    const list = await this.#kubectl.tryTo(["get", "pods", "--output=name"]);
    if (list.code !== 0) return;
    const names = list.stdout.split("\n");
    for (const pod of this.pods) {
      if (names.includes(`pod/${pod.name}`)) continue;
      this.#handle({ isGone: true, pod });
    }
  }

  #note(line: string): void {
    const event = podEventOf(line);
    if (event !== undefined) this.#handle(event);
  }

  #handle(event: PodEvent): void {
    const { name } = event.pod;
    if (event.isGone) this.#pods.delete(name);
    else this.#pods.set(name, event.pod);
    this.#onEvent(event);
  }
}

/**
 * Names servers "server-1" and so on, whichever pod each is at the moment: a
 * pod that takes the place of a leaving one has its name.
 */
export class ServerNumbers {
  /** The number of every pod that ever was. */
  readonly #numbers = new Map<string, number>();
  /** The pods that are there, the one that counts last. */
  readonly #pods = new Map<number, string[]>();

  /** The name of the server that a pod is; undefined if it never was one. */
  nameOf(pod: string): string | undefined {
    const number = this.#numbers.get(pod);
    return number === undefined ? undefined : `server-${number}`;
  }

  /** The servers by number: each with its pods, the one that counts last. */
  servers(): readonly {
    readonly name: string;
    readonly pods: readonly string[];
  }[] {
    return [...this.#pods].sort(([a], [b]) => a - b)
      .map(([number, pods]) => ({ name: `server-${number}`, pods }));
  }

  /**
   * Adds a pod.
   *
   * @param isLeaving Whether another pod ends.
   * @returns Whether it is new.
   */
  add(pod: string, isLeaving: (other: string) => boolean): boolean {
    if (this.#numbers.has(pod)) return false;
    const heir = [...this.#pods].find(([, pods]) =>
      pods.every((other) => isLeaving(other))
    );
    let number = heir?.[0] ?? 1;
    if (heir === undefined) { while (this.#pods.has(number)) number += 1; }
    this.#numbers.set(pod, number);
    this.#pods.set(number, [...this.#pods.get(number) ?? [], pod]);
    return true;
  }

  /** Removes a pod that is gone. */
  remove(pod: string): void {
    const number = this.#numbers.get(pod);
    if (number === undefined) return;
    const left = (this.#pods.get(number) ?? []).filter((one) => one !== pod);
    if (left.length === 0) this.#pods.delete(number);
    else this.#pods.set(number, left);
  }
}
