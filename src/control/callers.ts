/** The stack's own callers: one client for each listener under load. */
import { EXIT_CODES, type Failure } from "../core/errors.ts";
import {
  awaitExit,
  type Child,
  type ExitStatus,
  startChild,
} from "../io/child.ts";
import { endFailure, programCommand, startFailure } from "../stack/programs.ts";
import { type ClientEvent, clientEvent } from "./calls.ts";
import type { Listener, LoadState } from "./state.ts";

/**
 * The client waits for its last calls, which end at their deadline at the
 * latest.
 */
const STOP_LIMIT_MS = 5000;

/** Enough for an error about each of its variables. */
const LINES_KEPT = 10;

/** One call a second, slow enough to read, as is the client's default. */
export const LOAD_AT_FIRST: LoadState = {
  ratePerS: 1,
  connections: 1,
  kind: "unary",
  workMs: 0,
  messageCharacters: 5,
  listeners: ["l7"],
};

const METHOD_OF = {
  unary: "SayHello",
  stream: "StreamHellos",
  chat: "Chat",
} as const;

/** The callers' events. */
export interface CallerEvents {
  /** @param caller The number of the client, which is never reused. */
  readonly onEvent: (
    listener: Listener,
    event: ClientEvent,
    caller: number,
  ) => void;
  /** A client has ended without being stopped. */
  readonly onEnd: (listener: Listener, why: Failure | "done") => void;
}

/** Runs the clients. */
export class Callers {
  readonly #endpoints: Readonly<Record<Listener, string>>;
  readonly #events: CallerEvents;
  readonly #tlsFlags: readonly string[];
  readonly #running = new Map<Listener, Child>();
  #load: LoadState;
  #started = 0;
  /** Until then the client's own variables and defaults count. */
  #isChanged = false;

  /** @param tlsFolder Their certificates (default: plain text). */
  constructor(
    endpoints: Readonly<Record<Listener, string>>,
    load: LoadState,
    events: CallerEvents,
    tlsFolder?: string,
  ) {
    this.#endpoints = endpoints;
    this.#tlsFlags = tlsFolder === undefined ? [] : ["--tls", tlsFolder];
    this.#load = load;
    this.#events = events;
  }

  get load(): LoadState {
    return this.#load;
  }

  /** Starts them with the present load. */
  start(): void {
    const { ratePerS, listeners } = this.#load;
    if (ratePerS === 0) return;
    for (const listener of listeners) this.#start(listener);
  }

  /** Replaces them; calls in flight may finish. */
  change(load: LoadState): void {
    const leaving = [...this.#running.values()];
    this.#running.clear();
    this.#load = load;
    this.#isChanged = true;
    this.start();
    for (const child of leaving) void end(child);
  }

  /** Stops them; resolves when their last calls have ended. */
  async stop(): Promise<void> {
    const leaving = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(leaving.map(end));
  }

  #start(listener: Listener): void {
    const { ratePerS, connections, kind, workMs, messageCharacters } =
      this.#load;
    let lines: string[] = [];
    const caller = this.#started++;
    const child = startChild({
      ...programCommand("client", [
        ...["--target", this.#endpoints[listener], "--json"],
        ...this.#tlsFlags,
        ...(this.#isChanged
          ? [
            ...["--rate", String(ratePerS)],
            ...["--connections", String(connections)],
            ...["--method", METHOD_OF[kind], "--work", String(workMs)],
            ...["--characters", String(messageCharacters)],
          ]
          : []),
      ]),
      onLine: (line) => {
        lines = [...lines, line].slice(-LINES_KEPT);
        const event = clientEvent(line);
        if (event !== undefined) this.#events.onEvent(listener, event, caller);
      },
    });
    this.#running.set(listener, child);
    void child.exited.then((status) => {
      if (this.#running.get(listener) !== child) return; // It was stopped.
      this.#running.delete(listener);
      this.#events.onEnd(listener, endOf(status, lines));
    });
  }
}

/** Why a client has ended that was not asked to. */
function endOf(status: ExitStatus, lines: readonly string[]): Failure | "done" {
  if (status.code === 0 && status.signal === null) return "done";
  if (status.code === EXIT_CODES.usage) {
    return startFailure("client", "client", status, lines);
  }
  return endFailure("client", status);
}

async function end(child: Child): Promise<void> {
  child.kill("SIGTERM");
  await awaitExit(child, STOP_LIMIT_MS);
}
