/** A server for tests, and clients of it. */
import type { Client } from "@grpc/grpc-js";
import { parseFlags } from "../core/flags.ts";
import {
  Greeter,
  type GreeterClient,
  type MethodCounters,
  type Service,
} from "../io/proto.ts";
import { connect } from "../io/rpc.ts";
import { pause } from "../io/wait.ts";
import { SERVER_FLAGS, type ServerConfig } from "./config.ts";
import { type RunningServer, startServer } from "./server.ts";

/** A running server, the lines it has logged, and its clients. */
export class Fixture implements AsyncDisposable {
  readonly server: RunningServer;
  readonly lines: readonly string[];
  readonly #clients: Client[] = [];

  private constructor(server: RunningServer, lines: readonly string[]) {
    this.server = server;
    this.lines = lines;
  }

  /** Starts a server on a free port; closing it does not wait for checkers. */
  static async start(config: Partial<ServerConfig> = {}): Promise<Fixture> {
    const lines: string[] = [];
    const { values } = parseFlags(SERVER_FLAGS, ["--port", "0"]);
    const server = await startServer({
      ...values,
      serverName: "tested",
      drainWaitMs: 0,
      ...config,
    }, (line) => lines.push(line));
    return new Fixture(server, lines);
  }

  get target(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  /** A client with a connection of its own, closed with the fixture. */
  connect(): GreeterClient {
    return this.connectTo(Greeter);
  }

  /** The same for another service. */
  connectTo<C extends Client>(service: Service<C>): C {
    const client = connect(service, this.target);
    this.#clients.push(client);
    return client;
  }

  /** A method's counters. */
  counters(method: string): Omit<MethodCounters, "method"> | undefined {
    const found = this.server.counters().methods
      .find((counters) => counters.method === method);
    if (found === undefined) return undefined;
    const { method: _, ...counters } = found;
    return counters;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close();
  }
}

/** Polls, one turn of the event loop at a time, until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const limitAtMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > limitAtMs) {
      throw new Error(`Never came true: ${condition}`);
    }
    await pause(1);
  }
}
