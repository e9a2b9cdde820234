/**
 * The recorder: makes calls at an even pace, whatever becomes of them, and
 * records each.
 */
import { type Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { waitMs } from "../core/pacing.ts";
import { printableName } from "../core/printable.ts";
import { Greeter, type HelloReply, SERVER_NAME_HEADER } from "../io/proto.ts";
import { connect, plainDetails, statusName } from "../io/rpc.ts";
import type { Load } from "./experiment.ts";
import type { CallRecord } from "./history.ts";

type SayHello = (
  request: { readonly name: string; readonly workMs: number },
  metadata: Metadata,
  options: { readonly deadline: number },
  callback: (error: ServiceError | null, reply?: HelloReply) => void,
) => { on(event: "metadata", listener: (headers: Metadata) => void): void };

/** Records the calls of one run. */
export class Recorder {
  readonly #load: Required<Load>;
  readonly #clients: readonly Client[];
  readonly #calls: CallRecord[] = [];
  readonly #open = new Set<Promise<void>>();
  #made = 0;

  /** @param target "host:port" that is called. */
  constructor(load: Required<Load>, target: string) {
    this.#load = load;
    this.#clients = Array.from(
      { length: load.connections },
      () => connect(Greeter, target),
    );
  }

  /** The calls that have ended, in the order of their end. */
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
   * @param signal Makes no further call when it is aborted.
   */
  async run(elapsedMs: () => number, signal: AbortSignal): Promise<void> {
    const { ratePerS, durationMs } = this.#load;
    const count = Math.floor(ratePerS * durationMs / 1000);
    while (this.#made < count && !signal.aborted) {
      const pauseMs = waitMs(this.#made, elapsedMs(), ratePerS);
      if (pauseMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        continue;
      }
      this.#start(this.#made * 1000 / ratePerS, elapsedMs);
      this.#made += 1;
    }
    await Promise.all(this.#open);
  }

  /** Closes the connections. */
  close(): void {
    for (const client of this.#clients) client.close();
  }

  #start(startMs: number, elapsedMs: () => number): void {
    const client = this.#clients[this.#made % this.#clients.length];
    if (client === undefined) return;
    const call = this.#call(client, startMs, elapsedMs() - startMs)
      .then((record) => {
        this.#calls.push(record);
        this.#open.delete(call);
      });
    this.#open.add(call);
  }

  #call(client: Client, startMs: number, lateMs: number): Promise<CallRecord> {
    const { workMs, deadlineMs } = this.#load;
    const sayHello: SayHello = Reflect.get(client, "SayHello");
    const madeAtMs = performance.now();
    return new Promise((resolve) => {
      let headers: Metadata | undefined;
      const call = sayHello.call(
        client,
        { name: "experiment", workMs },
        new Metadata(),
        { deadline: Date.now() + deadlineMs },
        (error, reply) => {
          // A call that failed at once has its headers in its status.
          const answer = headers ?? error?.metadata;
          const fields = answer?.getMap() ?? {};
          resolve({
            startMs,
            lateMs,
            latencyMs: performance.now() - madeAtMs,
            status: error === null ? "OK" : statusName(error.code),
            details: plainDetails(error?.details ?? ""),
            server: printableName(
              reply?.server ?? String(fields[SERVER_NAME_HEADER] ?? ""),
            ),
            attempts: Number(fields["x-envoy-attempt-count"] ?? 0),
            isOverloaded: fields["x-envoy-overloaded"] !== undefined,
            isAnswered: Object.keys(fields).length > 0,
          });
        },
      );
      call.on("metadata", (received) => headers = received);
    });
  }
}
