/** The port of a server: accepts connections, bounds what they hold. */
import { EventEmitter } from "node:events";
import { messageOf } from "../../core/errors.ts";
import { CODE } from "../../core/http2_wire.ts";
import { seldom } from "../../core/seldom.ts";
import { pause } from "../../io/wait.ts";
import { Connection } from "./connection.ts";
import type { ConnectionLimits } from "./open_streams.ts";

/** Connections at once; a balancer needs one, a drill some hundreds. */
const CONNECTIONS_MAX = 1024;

/** How often connections are looked at. */
const SWEEP_INTERVAL_MS = 1000;

/** After an accept that failed: there may be no file left to open. */
const ACCEPT_PAUSE_MS = 100;

/** The part of an error's message that is logged. */
const DEFECT_CHARACTERS_MAX = 200;

/** What a listener is given. */
export interface ListenerOptions extends ConnectionLimits {
  /**
   * Bytes that may be held for all peers together before the connection that
   * holds the most is ended.
   */
  readonly heldBytesMax: number;
  /** Is given one line for what it did to a peer, or could not do. */
  readonly log: (line: string) => void;
}

/** A listening port with the part of Node's server API that grpc-js uses. */
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
   * Opens the port and accepts connections from now on.
   *
   * @param port 0 for any free one.
   * @returns The port that was opened.
   * @throws {Error} Deno's, when it cannot be opened.
   */
  listen(hostname: string, port: number): number {
    this.#listener = Deno.listen({ hostname, port });
    void this.#acceptAll(this.#listener);
    return this.#listener.addr.port;
  }

  /** As a server of Node's has it; null while the port is not open. */
  address(): { readonly address: string; readonly port: number } | null {
    const addr = this.#listener?.addr;
    return addr === undefined
      ? null
      : { address: addr.hostname, port: addr.port };
  }

  /** Bytes that are held for all peers together. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether more is held for this peer, "host:port", than for most. */
  isGreedy(peer: string): boolean {
    const bytes = this.#connections.get(peer)?.heldBytes ?? 0;
    return bytes * this.#connections.size >= this.#heldBytes;
  }

  /** Ends the connection with this peer, "host:port", without a word. */
  drop(peer: string): void {
    this.#connections.get(peer)?.destroy();
  }

  /** Closes every new connection at once, or no longer. */
  setRefusing(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  /**
   * Accepts nobody any more, tells every peer to go, and waits until all
   * calls have ended.
   *
   * @param deadlineMs What is open then is cut.
   */
  async close(deadlineMs: number): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    const timer = setTimeout(() => {
      this.#options.log(
        `cutting the calls that are left after ${deadlineMs} ms`,
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
        if (error instanceof Deno.errors.BadResource) return; // It is closed.
        // Not the end: files are closed again, and then there is room.
        this.#say(
          `cannot accept a connection: ${messageOf(error)}; trying again`,
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
      this.#say(`closing a new connection: ${CONNECTIONS_MAX} are open`);
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
    // What is sent at the end of a connection is held for a moment, too.
    if (delta <= 0 || this.#isShedding) return;
    this.#isShedding = true;
    while (this.#heldBytes > this.#options.heldBytesMax && this.#endOne());
    this.#isShedding = false;
  }

  /** Ends the connection that holds the most. @returns Whether there is one. */
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

/** What was thrown, on one line; it may have something of a peer in it. */
function wordsOf(defect: unknown): string {
  const message = messageOf(defect).slice(0, DEFECT_CHARACTERS_MAX);
  return `, please report it: ${JSON.stringify(message)}`;
}
