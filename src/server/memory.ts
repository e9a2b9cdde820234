/**
 * A server's memory budget, and what happens near its limit.
 *
 * What is held for peers is counted exactly (http2/), so excess calls are
 * refused and greedy connections closed before they use much memory. The
 * process's resident memory is sampled: when it nears the limit, the server
 * drains and exits, to be restarted.
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

/** When nothing sets a limit: the same as in compose.yaml. */
const LIMIT_MIB_DEFAULT = 256;

/** The fraction of the limit that may be held for all peers together. */
const HELD_SHARE_MAX = 1 / 8;

/** Above this fraction of that, new calls of greedy peers are refused. */
const REFUSING_SHARE = 1 / 2;

/**
 * The fraction of the limit at which a server restarts. Each server draws its
 * own: those behind one balancer grow alike and must not restart together.
 */
const RESTART_SHARE_MIN = 0.72;
const RESTART_SHARE_MAX = 0.84;

/** After so many samples, garbage collection is not going to help. */
const SAMPLES_OVER = 4;

/** How often the resident memory is sampled. */
export const SAMPLE_INTERVAL_MS = 250;

/**
 * The memory limit of this process in bytes: the flag's, else its
 * container's, else 256 MiB.
 *
 * @param flagMib The flag's value; 0 when it was not given.
 * @param containerBytes What the system reports. Deno finds the limit of a
 * cgroup v2, but not of a cgroup v1 from inside a container.
 */
export function memoryLimitBytes(
  flagMib: number,
  containerBytes: number | undefined = process.constrainedMemory(),
): number {
  if (flagMib > 0) return flagMib * BYTES_PER_MIB;
  // 0, or more than any machine has, means no limit.
  const isLimit = Number.isSafeInteger(containerBytes) && containerBytes;
  return isLimit || LIMIT_MIB_DEFAULT * BYTES_PER_MIB;
}

/** The options of a budget. */
export interface MemoryOptions {
  readonly limitBytes: number;
  /** Bytes held for peers now. */
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

  /** Bytes held for all peers above which the greediest is closed. */
  static heldBytesMax(limitBytes: number): number {
    return limitBytes * HELD_SHARE_MAX;
  }

  /**
   * Whether a peer's new call must be refused; logs refusals at most once a
   * second. Peers for whom little is held are not affected.
   */
  refuses(peer: string): boolean {
    const { heldBytes, isGreedy, limitBytes } = this.#options;
    const max = MemoryBudget.heldBytesMax(limitBytes) * REFUSING_SHARE;
    if (heldBytes() < max || !isGreedy(peer)) return false;
    const line = `${mib(heldBytes())} MiB are held for peers`;
    this.#sayRefusing(`refusing a new call: ${line}`);
    return true;
  }

  /** Samples the resident memory; call it every `SAMPLE_INTERVAL_MS`. */
  sample(): void {
    if (this.#isFull) return;
    const bytes = this.#options.residentBytes();
    this.#samplesOver = bytes > this.#restartBytes ? this.#samplesOver + 1 : 0;
    if (this.#samplesOver < SAMPLES_OVER) return;
    this.#isFull = true;
    this.#options.log(
      `resident memory is ${mib(bytes)} of ${mib(this.#options.limitBytes)} ` +
        "MiB: draining to restart",
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
          details: "The server is short of memory; retry later",
        }),
    });
  };
}
