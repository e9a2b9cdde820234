/** The Envoys of a stack on Kubernetes, which callers reach by one Service. */
import { EnvoysAdmin } from "./envoys_admin.ts";
import type { Kubectl } from "./kubectl.ts";
import { DEPLOYMENTS } from "./manifests.ts";
import { signalPod } from "./pod_process.ts";
import type { Pod } from "./pods.ts";
import { EnvoyForwards } from "./port_forward.ts";
import {
  awaitRollout,
  setReplicas,
  START_LIMIT_MS,
  STOP_LIMIT_MS,
} from "./rollout.ts";
import type { StackPods } from "./stack_pods.ts";

/** Envoy's counter of the calls that it has received. */
const CALLS = "http.grpc.downstream_rq_total";

/** The Envoys of one stack. */
export class KubernetesEnvoys {
  /** Their admin interfaces, as if there were one Envoy. */
  readonly admin: EnvoysAdmin;
  readonly #kubectl: Kubectl;
  readonly #pods: StackPods;
  readonly #forwards: EnvoyForwards;

  /** @param ports Local ports that lead to the first of them. */
  constructor(
    kubectl: Kubectl,
    pods: StackPods,
    ports: { readonly adminPort: number; readonly l4Port: number },
  ) {
    this.#kubectl = kubectl;
    this.#pods = pods;
    this.#forwards = new EnvoyForwards(kubectl, ports);
    this.admin = new EnvoysAdmin(() => this.#forwards.admins);
  }

  /** Those that get calls. */
  get pods(): readonly Pod[] {
    return this.#pods.envoys;
  }

  /** Whether there are some, and all of them get calls and can be asked. */
  areReady(): boolean {
    const ready = this.pods;
    return ready.length > 0 &&
      this.#pods.all.every(({ app, name }) =>
        app !== DEPLOYMENTS.envoy || ready.some((pod) => pod.name === name)
      ) &&
      ready.every(({ name }) => this.#forwards.adminOf(name) !== undefined);
  }

  /** Waits until they are. @throws {Failure} `failed` when they are not. */
  async awaitReady(): Promise<void> {
    await this.#pods.until(
      () => this.areReady(),
      START_LIMIT_MS,
      "the start of the Envoys",
    );
  }

  /** How many calls each has received, by pod. */
  async calls(): Promise<ReadonlyMap<string, number>> {
    const counts = await Promise.all(this.pods.map(async (pod) => {
      const stats = await this.#forwards.adminOf(pod.name)?.stats(`^${CALLS}$`);
      return [pod.name, stats?.get(CALLS) ?? 0] as const;
    }));
    return new Map(counts);
  }

  /** Ends the process of each; Kubernetes restarts it in the same pod. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const pods = this.pods;
    pods.forEach(({ containerId }) => this.#pods.expectEnd(containerId));
    await Promise.all(pods.map((pod) => signalPod(pod, signal)));
    await this.#pods.until(
      () =>
        pods.every(({ name, containerId }) =>
          this.#pods.find(name)?.containerId !== containerId
        ),
      STOP_LIMIT_MS,
      "the end of the Envoys",
    );
  }

  /** Starts or stops some until there are `count`. */
  async scale(count: number): Promise<void> {
    await this.roll(() => setReplicas(this.#kubectl, DEPLOYMENTS.envoy, count));
  }

  /**
   * Waits for a rollout: a new one starts, an old one drains, and so on.
   *
   * @param begin Makes the change of their Deployment.
   */
  async roll(begin: () => Promise<void>): Promise<void> {
    this.#pods.expectEnds(DEPLOYMENTS.envoy);
    await begin();
    await awaitRollout(this.#kubectl, this.#pods, DEPLOYMENTS.envoy);
    await this.awaitReady();
  }

  /** Leads the local ports to those that get calls now. */
  lead(): void {
    this.#forwards.lead(this.pods.map(({ name }) => name));
  }

  /** Closes the local ports. */
  async close(): Promise<void> {
    await this.#forwards.close();
  }
}
