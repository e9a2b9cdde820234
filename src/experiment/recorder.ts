/**
 * The recorder makes calls at a constant rate, whatever their outcome, and
 * records each.
 */
import { printableName } from "../core/printable.ts";
import {
  Greeter,
  type GreeterClient,
  SERVER_NAME_HEADER,
} from "../io/proto.ts";
import { runOpenLoop } from "../io/open_loop.ts";
import { callToEnd, connect } from "../io/rpc.ts";
import type { TlsSource } from "../io/tls.ts";
import type { Load } from "./experiment.ts";
import type { CallRecord } from "./history.ts";

/** Records the calls of one run. */
export class Recorder {
  readonly #load: Required<Load>;
  readonly #clients: readonly GreeterClient[];
  readonly #calls: CallRecord[] = [];

  /**
   * @param target "host:port" that is called.
   * @param tls Where the callers' files come from (default: plain text).
   */
  constructor(load: Required<Load>, target: string, tls?: TlsSource) {
    this.#load = load;
    this.#clients = Array.from(
      { length: load.connections },
      () => connect(Greeter, target, { tls }),
    );
  }

  /** The calls that have ended, in the order in which they did. */
  get calls(): readonly CallRecord[] {
    return this.#calls;
  }

  /**
   * Opens every connection with one call that is not recorded.
   * @returns How many of them were answered.
   */
  async warmUp(): Promise<number> {
    const records = await Promise.all(
      this.#clients.map((client) => this.#call(client, 0, 0)),
    );
    return records.filter(({ isAnswered }) => isAnswered).length;
  }

  /**
   * Makes the calls; resolves when the last one has ended.
   *
   * @param elapsedMs Milliseconds since the start of the load.
   * @param signal Stops further calls when aborted.
   */
  async run(elapsedMs: () => number, signal: AbortSignal): Promise<void> {
    const { ratePerS, durationMs } = this.#load;
    await runOpenLoop({
      ratePerS,
      count: Math.floor(ratePerS * durationMs / 1000),
      signal,
      now: elapsedMs,
      makeCall: async ({ index, dueAtMs, lateMs }) => {
        const client = this.#clients[index % this.#clients.length];
        if (client === undefined) return;
        this.#calls.push(await this.#call(client, dueAtMs, lateMs));
      },
    });
  }

  /** Closes the connections. */
  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #call(
    client: GreeterClient,
    startMs: number,
    lateMs: number,
  ): Promise<CallRecord> {
    const { workMs, deadlineMs } = this.#load;
    const request = { name: "experiment", workMs };
    const madeAtMs = performance.now();
    const { status, details, reply, headers, error } = await callToEnd(
      client,
      "SayHello",
      request,
      { deadlineMs },
    );
    // A trailers-only reply has its headers in the status.
    const fields = (headers ?? error?.metadata)?.getMap() ?? {};
    return {
      startMs,
      lateMs,
      latencyMs: performance.now() - madeAtMs,
      status,
      details,
      server: printableName(
        reply?.server ?? String(fields[SERVER_NAME_HEADER] ?? ""),
      ),
      attempts: Number(fields["x-envoy-attempt-count"] ?? 0),
      isOverloaded: fields["x-envoy-overloaded"] !== undefined,
      isAnswered: Object.keys(fields).length > 0,
    };
  }
}
