/** A server's port: accepts connections and bounds the memory they hold. */
import { EventEmitter } from "node:events";
import { messageOf } from "../../core/errors.ts";
import { CODE } from "../../core/http2_wire.ts";
import { seldom } from "../../core/seldom.ts";
import { pause } from "../../io/wait.ts";
import { Connection } from "./connection.ts";
import type { ConnectionLimits } from "./open_streams.ts";

/** Most open connections; a balancer needs one, a drill some hundreds. */
const CONNECTIONS_MAX = 1024;

/** How often connections are swept. */
const SWEEP_INTERVAL_MS = 1000;

/** The pause after a failed accept: file descriptors may have run out. */
const ACCEPT_PAUSE_MS = 100;

/** How much of an error's message is logged. */
const DEFECT_CHARACTERS_MAX = 200;

/** The options of a listener. */
export interface ListenerOptions extends ConnectionLimits {
  /**
   * Bytes that may be held for all peers together before the connection that
   * holds the most is closed.
   */
  readonly heldBytesMax: number;
  /** Receives one line for each thing it did to a peer, or could not do. */
  readonly log: (line: string) => void;
}

/** A listening port, with the part of Node's server API that grpc-js uses. */
export class Http2Listener extends EventEmitter {
  readonly #options: ListenerOptions;
  readonly #say: (line: string) => void;
  readonly #connections = new Map<string, Connection>();
  readonly #sweeps: ReturnType<typeof setInterval>;
  #listener: Deno.TcpListener | undefined;
  #heldBytes = 0;
  #isRefusing = false;
  #isShedding = false;

  constructor(options: ListenerOptions) {
    super();
    this.#options = options;
    this.#say = seldom(options.log);
    this.#sweeps = setInterval(() => {
      const nowMs = performance.now();
      for (const connection of this.#connections.values()) {
        connection.sweep(nowMs);
      }
    }, SWEEP_INTERVAL_MS);
  }

  /**
   * Opens the port and starts accepting connections.
   *
   * @param port 0 for any free port.
   * @returns The port that was opened.
   * @throws {Error} Deno's error, when it cannot be opened.
   */
  listen(hostname: string, port: number): number {
    this.#listener = Deno.listen({ hostname, port });
    void this.#acceptAll(this.#listener);
    return this.#listener.addr.port;
  }

  /** As on Node's server; null while the port is not open. */
  address(): { readonly address: string; readonly port: number } | null {
    const addr = this.#listener?.addr;
    return addr === undefined
      ? null
      : { address: addr.hostname, port: addr.port };
  }

  /** Bytes held for all peers together. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether more than a fair share is held for this peer, "host:port". */
  isGreedy(peer: string): boolean {
    const bytes = this.#connections.get(peer)?.heldBytes ?? 0;
    return bytes * this.#connections.size >= this.#heldBytes;
  }

  /** Closes the connection with this peer, "host:port", without a GOAWAY. */
  drop(peer: string): void {
    this.#connections.get(peer)?.destroy();
  }

  /** Turns closing every new connection at once on or off. */
  setRefusing(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  /**
   * Stops accepting, sends GOAWAY to every peer, and waits until all calls have
   * ended.
   *
   * @param deadlineMs Calls still open then are cancelled.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    const timer = setTimeout(() => {
      this.#options.log(
        `cancelling the calls still open after ${deadlineMs} ms`,
      );
      for (const connection of this.#connections.values()) connection.destroy();
    }, deadlineMs);
    await Promise.all(
      [...this.#connections.values()].map((connection) =>
        new Promise<void>((resolve) => connection.close(resolve))
      ),
    );
    clearTimeout(timer);
    clearInterval(this.#sweeps);
  }

  async #acceptAll(listener: Deno.TcpListener): Promise<void> {
    while (true) {
      try {
        this.#add(await listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return; // Closed.
        // Temporary: file descriptors become free again.
        this.#say(
          `cannot accept a connection: ${messageOf(error)}; retrying`,
        );
        await pause(ACCEPT_PAUSE_MS);
      }
    }
  }

  #add(tcp: Deno.TcpConn): void {
    if (this.#isRefusing) {
      tcp.close();
      return;
    }
    if (this.#connections.size >= CONNECTIONS_MAX) {
      this.#say(`refusing a new connection: ${CONNECTIONS_MAX} are open`);
      tcp.close();
      return;
    }
    tcp.setNoDelay(true);
    const connection: Connection = new Connection(tcp, this.#options, {
      onStream: (stream, headers) => this.emit("stream", stream, headers),
      onHeld: (delta) => this.#onHeld(delta),
      onFailed: (reason, defect) => {
        const why = reason + (defect === undefined ? "" : wordsOf(defect));
        this.#say(`ended the connection with ${connection.peer}: ${why}`);
      },
    });
    const { peer } = connection;
    this.#connections.set(peer, connection);
    connection.once("close", () => this.#connections.delete(peer));
    this.emit("session", connection);
    void connection.run();
  }

  #onHeld(delta: number): void {
    this.#heldBytes += delta;
    // What a closing connection still sends is held for a moment, too.
    if (delta <= 0 || this.#isShedding) return;
    this.#isShedding = true;
    while (this.#heldBytes > this.#options.heldBytesMax && this.#endOne());
    this.#isShedding = false;
  }

  /** Closes the connection that holds most. @returns Whether there was one. */
  #endOne(): boolean {
    let greediest: Connection | undefined;
    for (const connection of this.#connections.values()) {
      if (connection.isEnding) continue;
      if (connection.heldBytes > (greediest?.heldBytes ?? 0)) {
        greediest = connection;
      }
    }
    if (greediest === undefined) return false;
    const { heldBytes, streams } = greediest;
    const kib = Math.round(heldBytes / 1024);
    greediest.endBecause(
      CODE.enhanceYourCalm,
      `${kib} KiB are held for it, in ${streams.count} streams`,
    );
    return true;
  }
}

/** What was thrown, on one line, quoted, as it may contain a peer's text. */
function wordsOf(defect: unknown): string {
  const message = messageOf(defect).slice(0, DEFECT_CHARACTERS_MAX);
  return `, please report it: ${JSON.stringify(message)}`;
}
