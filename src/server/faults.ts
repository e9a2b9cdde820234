/**
 * Injects faults into one server, on request and for a limited time. Greeter
 * calls meet their fault in one place, an interceptor behind the counters, so
 * that the server's ledger counts them.
 */
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import {
  type ActiveFault,
  type CheckedFault,
  checkFault,
  type Fault,
  type FaultKind,
  planCall,
} from "../core/fault.ts";
import { seededRandom } from "../core/random.ts";
import { GREETER_SERVICE } from "../io/proto.ts";

/** What faults need from the server. */
export interface FaultTargets {
  /** Makes health checks answer NOT_SERVING, or truthfully again. */
  readonly setNotServing: (isNotServing: boolean) => void;
  /** Ends the connection with this peer, "host:port". */
  readonly dropConnection: (peer: string) => void;
  /** Turns closing every new connection at once on or off. */
  readonly setRefusing: (isRefusing: boolean) => void;
}

interface Entry extends ActiveFault {
  readonly healTimer: ReturnType<typeof setTimeout>;
}

/** The `cpu` fault takes its share of every slice of this length. */
const CPU_SLICE_MS = 20;

/** The faults of one server. */
export class Faults {
  readonly #targets: FaultTargets;
  readonly #log: (line: string) => void;
  readonly #entries = new Map<FaultKind, Entry>();
  /** Each resumes one hanging call. */
  readonly #hanging = new Set<() => void>();
  #cpuTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param log Receives one line for each change. */
  constructor(targets: FaultTargets, log: (line: string) => void) {
    this.#targets = targets;
    this.#log = log;
  }

  /**
   * Injects a fault, replacing one of the same kind.
   * @throws {RangeError} When a field is out of its range.
   */
  set(wanted: Fault): void {
    const fault = checkFault(wanted);
    clearTimeout(this.#entries.get(fault.kind)?.healTimer);
    this.#entries.set(fault.kind, {
      fault,
      random: seededRandom(fault.seed),
      healTimer: setTimeout(() => this.clear(fault.kind), fault.durationMs),
    });
    this.#log(`fault ${fault.kind} for ${fault.durationMs} ms`);
    this.#apply();
  }

  /** Ends one kind of fault, or all. */
  clear(kind?: FaultKind): void {
    for (const [known, { healTimer }] of [...this.#entries]) {
      if (kind !== undefined && kind !== known) continue;
      clearTimeout(healTimer);
      this.#entries.delete(known);
      this.#log(`fault ${known} is over`);
    }
    this.#apply();
  }

  /** Decides what happens to the next call. */
  plan(): ReturnType<typeof planCall> {
    return planCall([...this.#entries.values()]);
  }

  /** Holds a call until `hang` is over. @returns Drops the call. */
  hang(goOn: () => void): () => void {
    this.#hanging.add(goOn);
    return () => this.#hanging.delete(goOn);
  }

  /** Ends the connection with a peer. */
  drop(peer: string): void {
    this.#targets.dropConnection(peer);
  }

  #apply(): void {
    const faults = [...this.#entries.values()].map(({ fault }) => fault);
    this.#targets.setNotServing(faults.some(({ isServing }) => !isServing));
    this.#targets.setRefusing(this.#entries.has("refuse"));
    if (!this.#entries.has("hang")) {
      const released = [...this.#hanging];
      this.#hanging.clear();
      released.forEach((goOn) => goOn());
    }
    clearTimeout(this.#cpuTimer);
    const cpu = this.#entries.get("cpu");
    if (cpu !== undefined) this.#keepBusy(cpu.fault);
  }

  #keepBusy(fault: CheckedFault): void {
    const endMs = performance.now() + CPU_SLICE_MS * fault.share;
    while (performance.now() < endMs);
    this.#cpuTimer = setTimeout(
      () => this.#keepBusy(fault),
      CPU_SLICE_MS * (1 - fault.share),
    );
  }
}

/** Injects `faults` into the calls of the Greeter. */
export function injectFaults(faults: Faults): ServerInterceptor {
  return (descriptor, call) => {
    if (descriptor.path.split("/")[1] !== GREETER_SERVICE) {
      return new ServerInterceptingCall(call);
    }
    const { delayMs, end } = faults.plan();
    if (delayMs === 0 && end === undefined) {
      return new ServerInterceptingCall(call);
    }
    let forget = () => {};
    // A call whose headers are withheld does not reach its handler.
    const act = (goOn: () => void) => {
      if (end === undefined) goOn();
      else if (end.kind === "drop") faults.drop(call.getPeer());
      else if (end.kind === "hang") forget = faults.hang(goOn);
      else {
        if (end.isAfterHeaders) call.sendMetadata(new Metadata());
        call.sendStatus({ code: end.code, details: "fault: status" });
      }
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, toHandler) => {
            const goOn = () => toHandler(metadata);
            if (delayMs === 0) {
              act(goOn);
              return;
            }
            const timer = setTimeout(() => act(goOn), delayMs);
            forget = () => clearTimeout(timer);
          },
          onCancel: () => forget(),
        }),
    });
  };
}
