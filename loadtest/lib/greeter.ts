// Calls to the demo's service, counted.
import grpc, { type Response } from "k6/net/grpc";
import { Counter } from "k6/metrics";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { printableDetails, printableName } from "../../src/core/printable.ts";
import { STATUS_NAMES } from "../../src/core/status.ts";

/** Tags of k6's metrics. */
export type Tags = Readonly<Record<string, string>>;

/** How a call or a stream ended. */
export interface CallResult {
  readonly isOk: boolean;
  /** The server that answered; "" if unknown. */
  readonly server: string;
  /** The other side's message about a failure. */
  readonly error: string;
}

/** Prefix of the names of status counters. */
export const STATUS_PREFIX = "status_";

const statusCounters = STATUS_NAMES.map((name) =>
  new Counter(`${STATUS_PREFIX}${name}`)
);

/** Counts codes that gRPC does not know; a peer may send any. */
const otherStatus = new Counter(`${STATUS_PREFIX}OTHER`);

/** Every call, including set-up and warm-up. */
const callsSent = new Counter("calls_sent");

/** Attempts after the first, from Envoy's header in the reply. */
const retries = new Counter("retries");

const CONNECT_LIMIT = "5s";

// Each VU has its own copy of this module and so its own clients; k6 loads
// definitions only here, before the run.
const clients = [new grpc.Client(), new grpc.Client()];
for (const client of clients) {
  // Relative to the script that is run.
  client.load(["../proto"], "demo/v1/greeter.proto");
}

/** Counts a call or a stream by its final status. */
export function countEnd(status: number): void {
  callsSent.add(1);
  // k6's status is an object, not a number.
  (statusCounters[Number(status)] ?? otherStatus).add(1);
}

function readReply(response: Response): CallResult {
  countEnd(response.status);
  const headers = response.headers as Partial<Record<string, string[]>> ?? {};
  const attempts = Number(headers["x-envoy-attempt-count"]?.[0] ?? 1);
  if (attempts > 1) retries.add(attempts - 1);
  const isOk = response.status === grpc.StatusOK;
  const [server = ""] = headers["x-server-name"] ?? [];
  const { message = "" } = (response.error ?? {}) as { message?: string };
  return {
    isOk,
    server: printableName(server),
    error: printableDetails(message),
  };
}

/** A VU's connection to one target. */
export class Caller {
  readonly target: string;
  readonly client: grpc.Client;
  #isConnected = false;

  /** At most two per VU. */
  constructor(target: string) {
    this.target = target;
    const client = clients.pop();
    if (client === undefined) throw new Error("No client is left for a VU");
    this.client = client;
  }

  /**
   * Connects unless already connected.
   * @throws When nothing listens.
   */
  connectOnce(): void {
    if (this.#isConnected) return;
    this.client.connect(this.target, {
      plaintext: true,
      timeout: CONNECT_LIMIT,
    });
    this.#isConnected = true;
  }

  /** Closes the connection. */
  disconnect(): void {
    this.client.close();
    this.#isConnected = false;
  }

  /** Makes one call. */
  sayHello(settings: LoadSettings, tags: Tags): CallResult {
    return readReply(this.client.invoke(...request(settings, tags)));
  }

  /** Makes an uncounted call to the reference server. */
  callReference(): void {
    this.client.invoke("demo.v1.Greeter/SayHello", {}, {
      discardResponseMessage: true,
      tags: { measured: "reference" },
    });
  }

  /** Makes one call without waiting. */
  sayHelloLater(settings: LoadSettings, tags: Tags): Promise<CallResult> {
    return this.client.asyncInvoke(...request(settings, tags)).then(readReply);
  }
}

function request({ workMs, deadlineMs }: LoadSettings, tags: Tags) {
  return [
    "demo.v1.Greeter/SayHello",
    { name: "k6", workMs },
    {
      // The server's name is in a header, so the message need not be decoded.
      discardResponseMessage: true,
      timeout: deadlineMs,
      tags,
    },
  ] as const;
}
