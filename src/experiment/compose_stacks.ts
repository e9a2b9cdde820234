/** Compose stacks for experiments, whose servers are numbered as on native. */
import type { Fault } from "../core/fault.ts";
import type { ServerCounters } from "../io/proto.ts";
import { ComposeStack } from "../stack/compose.ts";
import type { EnvoyAdmin } from "../stack/envoy_admin.ts";
import type { ExitStatus } from "../io/child.ts";
import type { Stack, StackServer } from "../stack/stack.ts";
import { freePort } from "../stack/free_port.ts";
import type { ExperimentStack, StackFactory } from "./stacks.ts";

/** Compose projects of experiments; one runs at a time. */
const PROJECT = "grpc-demo-experiment";

/**
 * A stack whose servers are called "server-1", "server-2", and so on, in the
 * order in which they were first seen: experiments name them so, and a
 * container's name is a random one. No number is given twice.
 */
export class NumberedStack implements ExperimentStack {
  readonly #stack: Stack;
  /** Numbers by the names of the stack. */
  readonly #numbers = new Map<string, number>();

  constructor(stack: Stack) {
    this.#stack = stack;
    this.servers();
  }

  get endpoint(): string {
    return this.#stack.endpoint;
  }

  get l4Endpoint(): string {
    return this.#stack.l4Endpoint;
  }

  get admin(): EnvoyAdmin {
    return this.#stack.admin;
  }

  servers(): readonly StackServer[] {
    const servers = this.#stack.servers();
    for (const { name } of servers) {
      if (!this.#numbers.has(name)) {
        this.#numbers.set(name, this.#numbers.size + 1);
      }
    }
    return servers.map(({ name, address, isRunning }) => ({
      name: this.nameOfReply(name),
      address,
      isRunning,
    }));
  }

  nameOfReply(name: string): string {
    const number = this.#numbers.get(name);
    return number === undefined ? name : `server-${number}`;
  }

  scale(count: number): Promise<void> {
    return this.#stack.scale(count);
  }

  stop(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<ExitStatus> {
    return this.#stack.stop(this.#own(name), signal);
  }

  start(name: string): Promise<void> {
    return this.#stack.start(this.#own(name));
  }

  pause(name: string): Promise<void> {
    return this.#stack.pause(this.#own(name));
  }

  resume(name: string): Promise<void> {
    return this.#stack.resume(this.#own(name));
  }

  fault(name: string, fault: Fault): Promise<void> {
    return this.#stack.fault(this.#own(name), fault);
  }

  clearFaults(name: string): Promise<void> {
    return this.#stack.clearFaults(this.#own(name));
  }

  stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    return this.#stack.stopEnvoy(signal);
  }

  startEnvoy(): Promise<void> {
    return this.#stack.startEnvoy();
  }

  counters(name: string): Promise<ServerCounters> {
    return this.#stack.counters(this.#own(name));
  }

  async memoryMib(): Promise<ReadonlyMap<string, number>> {
    const memory = [...await this.#stack.memoryMib()];
    return new Map(memory.map(([own, mib]) => [this.nameOfReply(own), mib]));
  }

  close(): Promise<void> {
    return this.#stack.close();
  }

  #own(name: string): string {
    for (const [own, number] of this.#numbers) {
      if (`server-${number}` === name) return own;
    }
    throw new RangeError(`Cannot find server "${name}" in the stack`);
  }
}

/** Compose stacks on free ports; images are built for the first one. */
export function composeStacks(): StackFactory {
  let isBuilt = false;
  return {
    name: "Compose",
    start: async ({ onCrash: _onCrash, ...options }) => {
      const taken = new Set<number>();
      const grpcPort = freePort(taken);
      const stack = await ComposeStack.start({
        ...options,
        grpcPort,
        l4Port: grpcPort + 1,
        adminPort: freePort(taken),
        project: PROJECT,
        allowFaults: true,
        // Another program is in no image of ours.
        build: !isBuilt && options.serverProgram === undefined,
      });
      isBuilt = true;
      return new NumberedStack(stack);
    },
  };
}
