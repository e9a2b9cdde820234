/** One server of the native stack: a process on its own loopback address. */
import { RESTART_EXIT_CODE } from "../core/errors.ts";
import { Admin, type AdminClient } from "../io/proto.ts";
import type { MethodOf, ReplyOf, RequestOf } from "../io/rpc.ts";
import { callHedged } from "../io/hedged_call.ts";
import { waitUntil } from "../io/wait.ts";
import {
  awaitExit,
  type Child,
  type ExitStatus,
  startChild,
} from "../io/child.ts";
import {
  otherDenoCommand,
  programCommand,
  serverInstead,
  startFailure,
} from "./programs.ts";
import type { LineSink } from "./stack.ts";

/** A start takes a quarter of a second; a busy machine needs much longer. */
const START_LIMIT_MS = 20_000;

/** Longer than a server's own drain and close deadline together. */
const STOP_LIMIT_MS = 15_000;

const OPERATOR_DEADLINE_MS = 2000;

/** Options of a server process. */
export interface ServerProcessOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Extra flags of the server program. */
  readonly flags: readonly string[];
  /** Source of a program started in place of the server (default: none). */
  readonly program?: string | undefined;
  /** Path of another Deno to run the server (default: ours). */
  readonly deno?: string | undefined;
  readonly onLine: LineSink;
  /** Called when it ends without being stopped. */
  readonly onCrash: (name: string, status: ExitStatus) => void;
}

/** A server that can be started and stopped repeatedly. */
export class ServerProcess {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly #options: ServerProcessOptions;
  #child: Child | undefined;
  /** The connection that counters are read on, every second by `up`. */
  readonly #kept: AdminClient[] = [];

  constructor(options: ServerProcessOptions) {
    this.name = options.name;
    this.host = options.host;
    this.port = options.port;
    this.#options = options;
  }

  /** The process id; undefined while none runs. */
  get pid(): number | undefined {
    return this.#child?.isRunning ? this.#child.pid : undefined;
  }

  /** "host:port", as in Envoy's /clusters. */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#child?.isRunning ?? false;
  }

  /**
   * Starts it and waits until it serves.
   * @throws {Failure} `environment` when it does not, with its own reason.
   */
  async start(): Promise<void> {
    const { name, host, port, flags, program, deno, onLine } = this.#options;
    const words = [
      ...["--host", host, "--port", String(port), "--name", name],
      ...flags,
    ];
    const lines: string[] = []; // Until it serves.
    let isServing = false;
    const child = startChild({
      ...(deno !== undefined
        ? otherDenoCommand(deno, ["src/server.ts", ...words])
        : program === undefined
        ? programCommand("server", words)
        : serverInstead(program, words)),
      onLine: (line) => {
        if (!isServing) lines.push(line);
        onLine(name, line.replace(`${name}: `, ""));
        isServing ||= line === `${name}: serving on ${this.address}`;
      },
    });
    this.#child = child;
    await waitUntil(() => isServing || !child.isRunning, START_LIMIT_MS);
    if (!isServing) {
      child.kill("SIGKILL");
      throw startFailure("server", name, await child.exited, lines);
    }
    void child.exited.then((status) => this.#onExit(child, status));
  }

  async #onExit(child: Child, status: ExitStatus): Promise<void> {
    if (this.#child !== child) return; // It was stopped.
    if (status.code === RESTART_EXIT_CODE) {
      // It ran out of memory and ended in order to be restarted.
      try {
        await this.start();
        return;
      } catch {
        // Its own output says why.
      }
    }
    this.#options.onCrash(this.name, status);
  }

  /** Stops it and waits until it has ended. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<ExitStatus> {
    const child = this.#child;
    if (child === undefined) return { code: 0, signal: null };
    this.#child = undefined; // What happens now is not a crash.
    this.#kept.splice(0).forEach((client) => client.close());
    child.kill("SIGCONT"); // A paused process cannot handle SIGTERM.
    child.kill(signal);
    return await awaitExit(child, STOP_LIMIT_MS);
  }

  /** Sends a signal that does not end it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  /**
   * Calls a method of its Admin service.
   * @throws {Failure} `failed` when it refuses or does not answer.
   */
  async operate<M extends MethodOf<AdminClient>>(
    method: M,
    request: RequestOf<AdminClient, M>,
  ): Promise<ReplyOf<AdminClient, M>> {
    return await callHedged(Admin, method, request, {
      target: this.address,
      kept: this.#kept,
      deadlineMs: OPERATOR_DEADLINE_MS,
      complaint: `${this.name} did not do ${method}`,
    });
  }
}
