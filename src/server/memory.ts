/**
 * A server's memory budget, and what is done when it comes near.
 *
 * What is held for peers is counted exactly (http2/), so most of it is refused
 * or ended before it is memory. The rest, the resident memory of the process,
 * is watched: when that comes near the limit, the server drains and restarts.
 */
import process from "node:process";
import {
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { seldom } from "../core/seldom.ts";
import { GREETER_SERVICE } from "../io/proto.ts";

const BYTES_PER_MIB = 1_048_576;

/** Where nothing says how much there is: as much as in compose.yaml. */
const LIMIT_MIB_DEFAULT = 256;

/** The part of the limit that may be held for all peers together. */
const HELD_SHARE_MAX = 1 / 8;

/** From this part of that on, new calls are refused. */
const REFUSING_SHARE = 1 / 2;

/**
 * The part of the limit at which a server restarts. Each draws its own, since
 * servers behind one balancer grow alike and must not restart together.
 */
const RESTART_SHARE_MIN = 0.72;
const RESTART_SHARE_MAX = 0.84;

/** A collection of garbage may be on its way; after so many it is not. */
const SAMPLES_OVER = 4;

/** How often the resident memory is looked at. */
export const SAMPLE_INTERVAL_MS = 250;

/**
 * The memory limit of this process in bytes: the flag's, else its
 * container's, else 256 MiB.
 *
 * @param flagMib The flag's value; 0 when it was not given.
 * @param containerBytes What the system says; Deno finds the limit of a
 * cgroup of version 2, and of version 1 not from inside a container.
 */
export function memoryLimitBytes(
  flagMib: number,
  containerBytes: number | undefined = process.constrainedMemory(),
): number {
  if (flagMib > 0) return flagMib * BYTES_PER_MIB;
  // 0, or a number beyond all memory, is no limit.
  const isLimit = Number.isSafeInteger(containerBytes) && containerBytes;
  return isLimit || LIMIT_MIB_DEFAULT * BYTES_PER_MIB;
}

/** What a budget is given. */
export interface MemoryOptions {
  readonly limitBytes: number;
  /** What is held for peers now. */
  readonly heldBytes: () => number;
  /** Whether more is held for this peer, "host:port", than for most. */
  readonly isGreedy: (peer: string) => boolean;
  /** The resident memory of the process now. */
  readonly residentBytes: () => number;
  readonly log: (line: string) => void;
  /** Called once, when the server must drain and restart. */
  readonly onFull: () => void;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** The memory budget of one server. */
export class MemoryBudget {
  readonly #options: MemoryOptions;
  readonly #sayRefusing: (line: string) => void;
  readonly #restartBytes: number;
  #samplesOver = 0;
  #isFull = false;

  constructor(options: MemoryOptions) {
    this.#options = options;
    this.#sayRefusing = seldom(options.log, options.now);
    const random = (options.random ?? Math.random)();
    const share = RESTART_SHARE_MIN +
      (RESTART_SHARE_MAX - RESTART_SHARE_MIN) * random;
    this.#restartBytes = options.limitBytes * share;
  }

  /** What may be held for all peers before the greediest one is ended. */
  static heldBytesMax(limitBytes: number): number {
    return limitBytes * HELD_SHARE_MAX;
  }

  /**
   * Whether a new call of a peer must be refused; says so now and then. Peers
   * for whom little is held notice nothing.
   */
  refuses(peer: string): boolean {
    const { heldBytes, isGreedy, limitBytes } = this.#options;
    const max = MemoryBudget.heldBytesMax(limitBytes) * REFUSING_SHARE;
    if (heldBytes() < max || !isGreedy(peer)) return false;
    const line = `${mib(heldBytes())} MiB are held for peers`;
    this.#sayRefusing(`refusing a new call: ${line}`);
    return true;
  }

  /** Looks at the resident memory; to be called every `SAMPLE_INTERVAL_MS`. */
  sample(): void {
    if (this.#isFull) return;
    const bytes = this.#options.residentBytes();
    this.#samplesOver = bytes > this.#restartBytes ? this.#samplesOver + 1 : 0;
    if (this.#samplesOver < SAMPLES_OVER) return;
    this.#isFull = true;
    this.#options.log(
      `resident memory is ${mib(bytes)} of ${mib(this.#options.limitBytes)} ` +
        "MiB: draining, to start again",
    );
    this.#options.onFull();
  }
}

function mib(bytes: number): number {
  return Math.round(bytes / BYTES_PER_MIB);
}

/** Refuses the Greeter's calls while `budget` says so. */
export function refuseCalls(budget: MemoryBudget): ServerInterceptor {
  return (descriptor, call) => {
    const isGreeter = descriptor.path.startsWith(`/${GREETER_SERVICE}/`);
    if (!isGreeter || !budget.refuses(call.getPeer())) {
      return new ServerInterceptingCall(call);
    }
    return new ServerInterceptingCall(call, {
      start: () =>
        call.sendStatus({
          code: status.RESOURCE_EXHAUSTED,
          details: "The server is short of memory; try again later",
        }),
    });
  };
}
