/** A stack that notes what is done with it, for the ledgers and the report. */
import type { Fault } from "../core/fault.ts";
import type { ServerCounters } from "../io/proto.ts";
import type { EnvoyAdmin } from "../stack/envoy_admin.ts";
import type { ExitStatus } from "../io/child.ts";
import type { Stack, StackServer } from "../stack/stack.ts";
import type { Action } from "./history.ts";

/** Hands everything on to another stack and notes what changes it. */
export class RecordedStack implements Stack {
  readonly #stack: Stack;
  readonly #note: (action: Omit<Action, "atMs">) => void;
  /** Every server that there ever was: name by address. */
  readonly #names = new Map<string, string>();

  constructor(stack: Stack, note: (action: Omit<Action, "atMs">) => void) {
    this.#stack = stack;
    this.#note = note;
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
    for (const { address, name } of servers) this.#names.set(address, name);
    return servers;
  }

  /** The name of the server at an address, also of one that has gone. */
  nameOf(address: string): string {
    this.servers();
    return this.#names.get(address) ?? address;
  }

  async scale(count: number): Promise<void> {
    for (const { name } of this.servers().slice(count)) {
      this.#note({ server: name, kind: "scale" });
    }
    await this.#stack.scale(count);
    this.servers();
  }

  stop(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<ExitStatus> {
    this.#note({ server: name, kind: signal });
    return this.#stack.stop(name, signal);
  }

  start(name: string): Promise<void> {
    this.#note({ server: name, kind: "start" });
    return this.#stack.start(name);
  }

  pause(name: string): Promise<void> {
    this.#note({ server: name, kind: "pause" });
    return this.#stack.pause(name);
  }

  resume(name: string): Promise<void> {
    this.#note({ server: name, kind: "resume" });
    return this.#stack.resume(name);
  }

  fault(name: string, fault: Fault): Promise<void> {
    this.#note({ server: name, kind: "fault", fault });
    return this.#stack.fault(name, fault);
  }

  clearFaults(name: string): Promise<void> {
    this.#note({ server: name, kind: "clear" });
    return this.#stack.clearFaults(name);
  }

  counters(name: string): Promise<ServerCounters> {
    return this.#stack.counters(name);
  }

  stopEnvoy(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#note({ server: "", kind: "envoy" });
    return this.#stack.stopEnvoy(signal);
  }

  startEnvoy(): Promise<void> {
    this.#note({ server: "", kind: "envoy" });
    return this.#stack.startEnvoy();
  }

  memoryMib(): Promise<ReadonlyMap<string, number>> {
    return this.#stack.memoryMib();
  }

  close(): Promise<void> {
    return this.#stack.close();
  }
}
